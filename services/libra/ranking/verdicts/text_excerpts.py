"""Excerpts around a text that was found in a trial."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from libra.ranking.verdicts.completed_verdicts import add_completions
from libra.store.client import Store
from libra.v1.ranking_pb2 import (
    TEXT_PLACE_ANSWER,
    TEXT_PLACE_ATTACK,
    TEXT_PLACE_PROMPT,
    TEXT_PLACE_REASON,
    TextExcerpt,
    TextPlace,
)
from libra.v1.verdict_pb2 import Verdict

SIDE_CHARACTERS = 100
"""The most characters on each side of the text."""

GAP = "…"
"""Marks an end at which the excerpt was cut."""


async def find_excerpts(store: Store, verdicts: Sequence[Verdict], text: str) -> list[TextExcerpt]:
    """Return the first place of the text in each part of the trials, in the order of the verdicts."""
    pattern = re.compile(re.escape(text), re.IGNORECASE)
    copies = [copy_verdict(verdict) for verdict in verdicts if not verdict.sealed]
    return [
        to_excerpt(verdict.id, place, found)
        async for verdict in add_completions(store, copies)
        for place, texts in parts_of(verdict)
        if (found := next(filter(None, map(pattern.search, texts)), None))
    ]


def parts_of(verdict: Verdict) -> Iterator[tuple[TextPlace.ValueType, Sequence[str]]]:
    """Yield the texts of a trial that are searched, by their place."""
    yield TEXT_PLACE_PROMPT, [message.content for message in verdict.messages]
    yield TEXT_PLACE_ATTACK, [message.content for message in verdict.log]
    yield TEXT_PLACE_ANSWER, [verdict.completion.text]
    yield TEXT_PLACE_REASON, [verdict.rationale]


def to_excerpt(verdict: str, place: TextPlace.ValueType, found: re.Match[str]) -> TextExcerpt:
    """Return the match with what stands around it."""
    text, (start, end) = found.string, found.span()
    first, last = max(0, start - SIDE_CHARACTERS + 1), end + SIDE_CHARACTERS - 1
    return TextExcerpt(
        verdict=verdict,
        place=place,
        before=(GAP if first else "") + text[first:start],
        hit=found[0],
        after=text[end:last] + (GAP if last < len(text) else ""),
    )


def copy_verdict(verdict: Verdict) -> Verdict:
    """Return a copy, to which texts can be added."""
    copied = Verdict()
    copied.CopyFrom(verdict)
    return copied
