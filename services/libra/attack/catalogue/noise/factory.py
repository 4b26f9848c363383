"""Build an attack that adds noise to the prompt and says nothing about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from libra.attack.catalogue.attack import prompt_attack
from libra.attack.seeded_random import SeededRandom

WORD = re.compile(r"[^\W\d_]{1,40}")
"""Up to 40 consecutive letters of any script, so that a line of Chinese or a megabyte of one letter is many words."""


noise_attack = partial(prompt_attack, family="noise")
"""Returns the attack whose text is only the rewritten prompt, which cannot be decoded reliably."""


def rewrite_each_word(
    change: Callable[[str, SeededRandom], str], *, min_letters: int = 1
) -> Callable[[str, SeededRandom], str]:
    """Return the function that changes each word of at least `min_letters` letters and keeps the text between words."""

    def rewrite(prompt: str, rng: SeededRandom) -> str:
        def change_match(match: re.Match[str]) -> str:
            word = match[0]
            return change(word, rng) if len(word) >= min_letters else word

        return WORD.sub(change_match, prompt)

    return rewrite


def rewrite_by_chance(change: Callable[[str], str], percent: int) -> Callable[[str, SeededRandom], str]:
    """Return the function that changes each character independently with a probability of `percent`."""

    def rewrite(prompt: str, rng: SeededRandom) -> str:
        chances = rng.integers(len(prompt), 100)
        return "".join(
            change(character) if chance < percent else character
            for character, chance in zip(prompt, chances, strict=True)
        )

    return rewrite
