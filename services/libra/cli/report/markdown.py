"""Writes a report as Markdown in which texts of models and tasks stay text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from libra.cli.render.sanitize import sanitize
from libra.cli.report.blocks import Answer, Block, Grid, Paragraph, Points, Report

SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
BACKTICKS = re.compile(r"`+")


def to_markdown(report: Report) -> str:
    """Return the report."""
    lines = [f"# {_escape(report.title)}"]
    for section in report.sections:
        lines += ["", f"## {_escape(section.title)}"]
        for block in section.blocks:
            lines += ["", *_lines(block)]
    return "\n".join(lines) + "\n"


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield _escape(block.text)
    elif isinstance(block, Points):
        yield from (f"- {_escape(text)}" for text in block.texts)
    elif isinstance(block, Grid):
        yield _row(block.heads)
        yield f"|{'|'.join('--:' if index in block.numeric else '---' for index in range(len(block.heads)))}|"
        yield from (_row(row) for row in block.rows)
    else:
        yield from _answer_lines(block)


def _answer_lines(answer: Answer) -> Iterator[str]:
    yield f"**{_escape(answer.title)}**: {_escape(answer.verdict)}"
    for role, text in answer.turns:
        clean = sanitize(text)
        fence = "`" * max(3, 1 + max((len(found) for found in BACKTICKS.findall(clean)), default=0))
        yield from ("", f"{_escape(role)}:", "", fence, clean, fence)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_escape, cells))} |"


def _escape(text: str) -> str:
    """Return a text on one line without a sign that Markdown gives a meaning."""
    return SIGNS.sub(r"\\\1", " ".join(sanitize(text).split()))
