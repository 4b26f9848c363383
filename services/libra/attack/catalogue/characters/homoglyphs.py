"""Letters of other scripts that look like Latin ones."""

from __future__ import annotations

from libra.attack.catalogue.attack import Attack
from libra.attack.catalogue.characters.factory import writing
from libra.attack.catalogue.citations import BAD_CHARACTERS, GARAK, PROMPTFOO, of
from libra.attack.seeded_random import Draw

LOOK_ALIKES = dict(zip("aceijopsxyABCEHIJKMOPSTXYZ", "асеіјорѕхуАВСЕНІЈКМОРЅТХҮΖ", strict=True))
"""From the confusables of Unicode Technical Standard 39; Cyrillic, but for Ζ, which is Greek."""

THERE = str.maketrans(LOOK_ALIKES)
BACK = str.maketrans({other: latin for latin, other in LOOK_ALIKES.items()})
PERCENT = 70
"""Of the letters that have a look-alike, as many are replaced; a script of one kind alone would be told at once."""


def rewrite(prompt: str, draw: Draw) -> str:
    """Return the prompt with most of the letters that have a look-alike replaced by it."""
    chances = draw.numbers(len(prompt), 100)
    return "".join(
        letter.translate(THERE) if chance < PERCENT else letter for letter, chance in zip(prompt, chances, strict=True)
    )


def latin(text: str) -> str:
    """Return the text with Latin letters for their look-alikes."""
    return text.translate(BACK)


HOMOGLYPHS: Attack = writing(
    "homoglyphs",
    rewrite,
    latin,
    latin,
    source=f"{BAD_CHARACTERS}; {of(GARAK, 'probes.badchars')}; {of(PROMPTFOO, 'homoglyph')}",
    description="Writes most of the letters that have a Cyrillic or Greek look-alike as it.",
)
