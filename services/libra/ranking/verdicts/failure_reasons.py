"""Reasons of failed and unjudged trials without the parts that differ from trial to trial, so that equal ones group."""

from __future__ import annotations

import re

GAP = "…"
"""Stands for a word with a digit, for an address, and for what is between quotation marks."""

REST = "[…]"
"""Stands for the rest of a long reason."""

MAX_WORDS = 40

QUOTED = re.compile(r'"[^"]*"')
QUOTED_GAP = f'"{GAP}"'
SPACE = re.compile(r"\s+", re.ASCII)
STATUS = re.compile(r"\W*[45]\d\d\W*")
"""An HTTP status that says what went wrong."""


def normalize_reason(reason: str) -> str:
    """Return the reason with gaps in place of identifiers, numbers, addresses and quoted texts."""
    words = SPACE.split(QUOTED.sub(QUOTED_GAP, reason).strip())
    shown = [GAP if _is_specific(word) else word for word in words[:MAX_WORDS]]
    return " ".join([*shown, REST] if len(words) > MAX_WORDS else shown)


def reason_pattern(reason: str) -> re.Pattern[str]:
    """Return the pattern of the reasons whose normal form this is.

    A gap never spans a space, or it spans all up to the next quotation mark: no text makes the search slow.
    """
    words = SPACE.split(reason.strip())
    is_cut = words[-1] == REST
    parts = [_word_pattern(word) for word in (words[:-1] if is_cut else words)]
    return re.compile(r"\s*" + r"\s+".join(parts) + ("" if is_cut else r"\s*$"), re.ASCII)


def _is_specific(word: str) -> bool:
    if STATUS.fullmatch(word) or QUOTED_GAP in word:  # a quoted text has spaces, which no gap spans
        return False
    return "://" in word or any(character.isdigit() for character in word)


def _word_pattern(word: str) -> str:
    if word == GAP:
        return r"\S+"
    return re.escape(word).replace(re.escape(QUOTED_GAP), '"[^"]*"')
