"""Put the prompt with its spelling spoilt, and no word about it: what all noise has in common."""

from __future__ import annotations

import re
from collections.abc import Callable

from libra.attack.catalogue.attack import Attack, on_last_turn
from libra.attack.seeded_random import Draw

FAMILY = "noise"

WORD = re.compile(r"[^\W\d_]{1,40}")
"""Letters of any script without a gap; a line of Chinese, or a megabyte of one letter, is many words."""


def noise(name: str, rewrite: Callable[[str, Draw], str], *, source: str, description: str) -> Attack:
    """Return the attack that puts nothing but the prompt, rewritten so that it cannot surely be read back."""
    return Attack(
        name=name,
        version="1",
        description=description,
        source=source,
        transform=on_last_turn(rewrite),
        family=FAMILY,
    )


def in_each_word(change: Callable[[str, Draw], str], *, least: int = 1) -> Callable[[str, Draw], str]:
    """Return the rewriting that changes each word of at least so many letters and keeps all that stands between words."""

    def rewrite(prompt: str, draw: Draw) -> str:
        def changed(match: re.Match[str]) -> str:
            word = match[0]
            return change(word, draw) if len(word) >= least else word

        return WORD.sub(changed, prompt)

    return rewrite


def by_chance(change: Callable[[str], str], percent: int) -> Callable[[str, Draw], str]:
    """Return the rewriting that changes each character with that chance, whatever its neighbours are."""

    def rewrite(prompt: str, draw: Draw) -> str:
        chances = draw.numbers(len(prompt), 100)
        return "".join(
            change(character) if chance < percent else character
            for character, chance in zip(prompt, chances, strict=True)
        )

    return rewrite
