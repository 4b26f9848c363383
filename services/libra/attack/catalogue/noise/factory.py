"""Put the prompt with its spelling spoilt, and no word about it: what all noise has in common."""

from __future__ import annotations

import re
from collections.abc import Callable

from libra.attack.catalogue.attack import Attack, rewrite_last_turn
from libra.attack.seeded_random import SeededRandom

FAMILY = "noise"

WORD = re.compile(r"[^\W\d_]{1,40}")
"""Letters of any script without a gap; a line of Chinese, or a megabyte of one letter, is many words."""


def noise_attack(name: str, rewrite: Callable[[str, SeededRandom], str], *, source: str, description: str) -> Attack:
    """Return the attack that puts nothing but the prompt, rewritten so that it cannot surely be read back."""
    return Attack(
        name=name,
        version="1",
        description=description,
        source=source,
        transform=rewrite_last_turn(rewrite),
        family=FAMILY,
    )


def rewrite_each_word(
    change: Callable[[str, SeededRandom], str], *, least: int = 1
) -> Callable[[str, SeededRandom], str]:
    """Return the rewriting that changes each word of at least so many letters and keeps all that stands between words."""

    def rewrite(prompt: str, rng: SeededRandom) -> str:
        def changed(match: re.Match[str]) -> str:
            word = match[0]
            return change(word, rng) if len(word) >= least else word

        return WORD.sub(changed, prompt)

    return rewrite


def rewrite_by_chance(change: Callable[[str], str], percent: int) -> Callable[[str, SeededRandom], str]:
    """Return the rewriting that changes each character with that chance, whatever its neighbours are."""

    def rewrite(prompt: str, rng: SeededRandom) -> str:
        chances = rng.integers(len(prompt), 100)
        return "".join(
            change(character) if chance < percent else character
            for character, chance in zip(prompt, chances, strict=True)
        )

    return rewrite
