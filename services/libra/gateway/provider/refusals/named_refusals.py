"""Finds the parameters that a sentence refuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from libra.gateway.provider.refusals.parameter_names import Mention, mentions
from libra.gateway.provider.refusals.phrases import (
    CONFLICT_AFTER,
    CONFLICT_BEFORE,
    CONFLICT_WORDS,
    FIXED_AFTER,
    FIXED_BEFORE,
    LIST_SEPARATOR,
    ONE_VALUE,
    ONLY_DEFAULT,
    OUT_OF_RANGE,
    REFUSED_AFTER,
    REFUSED_BEFORE,
    SUGGESTION,
    UNKNOWN_AFTER,
    UNKNOWN_BEFORE,
)

FIXED_PARAMETERS = frozenset({"temperature", "top_p"})
"""The parameters that some endpoints fix at one value."""

BEFORE_CHARACTERS = 120
AFTER_CHARACTERS = 200
MAX_GAP_CHARACTERS = 40
"""The most between two names of one enumeration."""


@dataclass(frozen=True, slots=True)
class NamedRefusal:
    """The names that a phrase refuses."""

    names: tuple[Mention, ...]
    is_unknown: bool
    """The endpoint does not know the name, so the value plays no part."""

    is_out_of_range: bool
    """The endpoint would take another value."""

    is_conflict: bool
    """The endpoint takes each of the names, and not all of them together."""

    words: str
    """From the beginning of the phrase."""


def refusals(text: str) -> Iterator[NamedRefusal]:
    """Yield every refusal in a text, in order."""
    groups = _groups(text, mentions(text))
    ends = [0, *(group[-1].end for group in groups)]
    starts = [*(group[0].start for group in groups[1:]), len(text)]
    for group, previous_end, next_start in zip(groups, ends, starts, strict=False):
        if found := _refusal(text, group, previous_end, next_start):
            yield found


def suggested_names(text: str) -> list[str]:
    """Return the names that a text tells the caller to use."""
    return [
        mention.name
        for mention in mentions(text)
        if SUGGESTION.search(text[max(0, mention.start - BEFORE_CHARACTERS) : mention.start])
        or text[mention.end :].lstrip("'\"`").startswith((" instead", " should be used", " must be used"))
    ]


def is_named_and_refused(text: str, name: str) -> bool:
    """Tell whether a text refuses a field with this name, which is none of Libra's own."""
    start = text.find(name)
    if start < 0 or text[start - 1 : start].isalnum() or text[start + len(name) :][:1].isalnum():
        return False
    mention = Mention("", name, start, start + len(name))
    return _refusal(text, [mention], 0, len(text)) is not None


def _groups(text: str, found: Sequence[Mention]) -> list[list[Mention]]:
    """Return the names, those of one enumeration together."""
    groups: list[list[Mention]] = []
    for mention in found:
        between = text[groups[-1][-1].end : mention.start] if groups else ""
        if groups and len(between) <= MAX_GAP_CHARACTERS and LIST_SEPARATOR.fullmatch(between):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    return groups


def _refusal(text: str, group: Sequence[Mention], previous_end: int, next_start: int) -> NamedRefusal | None:
    start, end = group[0].start, group[-1].end
    before = text[max(previous_end, start - BEFORE_CHARACTERS) : start]
    after = text[end : min(end + AFTER_CHARACTERS, next_start)]
    is_conflict = _is_conflict(group, before, after)
    unknown = UNKNOWN_BEFORE.search(before) or UNKNOWN_AFTER.search(after)
    is_fixed = _is_fixed(group, before, after)
    refused = is_fixed or REFUSED_BEFORE.search(before) or REFUSED_AFTER.search(after)
    if not (is_conflict or unknown or refused):
        return None
    phrase = UNKNOWN_BEFORE.search(before) or REFUSED_BEFORE.search(before)
    begin = start - len(before) + phrase.start() if phrase else start - (1 if before[-1:] in "'\"`" else 0)
    value_words = text[end : end + AFTER_CHARACTERS]
    return NamedRefusal(
        names=tuple(group),
        is_unknown=bool(unknown),
        is_out_of_range=not (unknown or is_fixed)
        and bool(OUT_OF_RANGE.search(value_words))
        and not ONLY_DEFAULT.search(value_words),
        is_conflict=is_conflict,
        words=text[max(0, begin) :],
    )


def _is_fixed(group: Sequence[Mention], before: str, after: str) -> bool:
    """Tell whether the endpoint takes one value of a parameter only."""
    if group[0].parameter not in FIXED_PARAMETERS:
        return False
    return bool(FIXED_AFTER.search(after) or (FIXED_BEFORE.search(before) and ONE_VALUE.search(after)))


def _is_conflict(group: Sequence[Mention], before: str, after: str) -> bool:
    if len({mention.parameter for mention in group}) < 2:  # noqa: PLR2004 - a conflict has two sides
        return False
    if CONFLICT_AFTER.search(after) and CONFLICT_WORDS.search(before + after):
        return True
    return bool(CONFLICT_BEFORE.search(before) and CONFLICT_WORDS.search(before + after))
