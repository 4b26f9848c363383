"""The parts of a report, without a form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; every row has as many cells as there are heads."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()
    """The columns that are aligned to the right."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A prompt with an answer and its verdict. Its texts are those of models and tasks, and may be harmful."""

    title: str
    turns: Sequence[tuple[str, str]]
    """Pairs of role and text; the last is the answer."""

    verdict: str


Block = Paragraph | Points | Grid | Answer


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a report."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    title: str
    sections: Sequence[Section]
