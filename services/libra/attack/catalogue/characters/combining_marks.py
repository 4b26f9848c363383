"""Marks of Unicode that are set on a character, over, through or under it."""

from __future__ import annotations

import re

from libra.attack.catalogue.attack import Attack
from libra.attack.catalogue.characters.factory import character_attack
from libra.attack.catalogue.citations import (
    BAD_CHARACTERS,
    CHARACTER_INJECTION,
    GARAK,
    PARSELTONGUE,
    PYRIT,
    VISUAL,
    cite,
)
from libra.attack.seeded_random import SeededRandom

ABOVE_AND_BELOW = "".join(map(chr, (*range(0x0300, 0x0315), *range(0x0316, 0x0334), *range(0x0339, 0x033D))))
ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030c\u0323\u0327\u0328\u0331"
"""Grave, acute, circumflex, tilde, macron, breve, dot, diaeresis, ring and caron above; dot, cedilla, ogonek and macron
below."""

STROKES = "\u0335\u0336\u0337\u0338"
LINES = "\u0332\u0333\u0347\u0305"
RIGHT_TO_LEFT, POP = "\u202e", "\u202c"
MAX_MARKS = 6
LETTER = re.compile(r"[^\W\d_]")


def combining_mark_attack(
    name: str, marks: str, *, least: int, most: int, where: str, source: str, description: str
) -> Attack:
    """Return the attack that sets marks, drawn from these, on the characters that the pattern finds.

    A prompt that holds such marks already loses them.
    """
    places = re.compile(where, re.DOTALL)
    erase = str.maketrans(dict.fromkeys(marks))

    def bare(text: str) -> str:
        return text.translate(erase)

    def rewrite(prompt: str, rng: SeededRandom) -> str:
        counts = iter(rng.integers(len(prompt), most - least + 1))
        drawn = iter(rng.integers(len(prompt) * most, len(marks)))

        def pile(match: re.Match[str]) -> str:
            return match[0] + "".join(marks[next(drawn)] for _ in range(least + next(counts)))

        return places.sub(pile, bare(prompt))

    return character_attack(name, rewrite, bare, bare, source=source, description=description)


def reverse_with_override(prompt: str, _rng: SeededRandom) -> str:
    """Return the prompt backwards, marked to be shown from right to left, so that the eye reads it forwards."""
    return RIGHT_TO_LEFT + prompt[::-1] + POP


COMBINING_MARKS: tuple[Attack, ...] = (
    combining_mark_attack(
        "zalgo",
        ABOVE_AND_BELOW,
        least=1,
        most=MAX_MARKS,
        where=r"\S",
        source=f"{cite(GARAK, 'probes.encoding.InjectZalgo')}; {cite(PYRIT, 'ZalgoConverter')}",
        description="Piles marks above and below each character.",
    ),
    combining_mark_attack(
        "diacritics",
        ACCENTS,
        least=1,
        most=1,
        where=LETTER.pattern,
        source=f"{VISUAL}; {CHARACTER_INJECTION}; {cite(PYRIT, 'DiacriticConverter')}",
        description="Sets an accent on each letter.",
    ),
    combining_mark_attack(
        "strikethrough",
        STROKES,
        least=1,
        most=1,
        where=r"[^\n]",
        source=cite(PARSELTONGUE, "Strikethrough"),
        description="Strikes each character through.",
    ),
    combining_mark_attack(
        "underline",
        LINES,
        least=1,
        most=1,
        where=r"[^\n]",
        source=f"{CHARACTER_INJECTION}; {cite(PARSELTONGUE, 'Underline')}",
        description="Draws a line under each character, or over it.",
    ),
    character_attack(
        "bidi",
        reverse_with_override,
        lambda attacked: attacked[1:-1][::-1],
        lambda text: text,
        source=f"{BAD_CHARACTERS}; {CHARACTER_INJECTION}",
        description="Writes the prompt backwards between marks that show it from right to left, forwards to the eye.",
    ),
)
