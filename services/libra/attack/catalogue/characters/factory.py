"""Build an attack that writes the prompt in other characters and says nothing about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from libra.attack.catalogue.attack import Attack, prompt_attack
from libra.attack.catalogue.codecs import identity

FAMILY = "characters"


character_attack = partial(prompt_attack, family=FAMILY)
"""Returns the attack whose text is only the rewritten prompt."""


def alphabet_attack(
    name: str,
    tables: tuple[Mapping[str, str], ...],
    *,
    source: str,
    description: str,
    fold: Callable[[str], str] = identity,
    reorder: Callable[[str], str] = identity,
) -> Attack:
    """Return the attack that writes the prompt in one of several alphabets, which the seed chooses.

    If a prompt already contains characters of the alphabet, they are decoded to plain ones.

    Args:
        name: the attack's name.
        tables: from plain to styled characters; two tables share no styled character.
        source: where the attack was published.
        description: what the attack does, in a sentence.
        fold: maps a text to what the alphabet can write, for instance to capitals.
        reorder: changes the order of the characters; it is its own inverse.
    """
    encodings = [str.maketrans(dict(table)) for table in tables]
    decoding = str.maketrans({styled: plain for table in tables for plain, styled in table.items()})
    only_styled = {styled for table in tables for styled in table.values()} - {
        plain for table in tables for plain in table
    }
    ambiguous = {ord(styled): decoding[ord(styled)] for styled in only_styled}
    return character_attack(
        name,
        lambda prompt, rng: reorder(fold(prompt).translate(rng.choice(encodings))),
        lambda attacked: reorder(attacked.translate(decoding)),
        lambda text: fold(text).translate(ambiguous),
        source=source,
        description=description,
    )
