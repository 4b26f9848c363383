"""Write the prompt in other characters, with no word about it: what such attacks have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from libra.attack.catalogue.attack import Attack, rewrite_last_turn
from libra.attack.seeded_random import SeededRandom

FAMILY = "characters"


def character_attack(
    name: str,
    rewrite: Callable[[str, SeededRandom], str],
    decode: Callable[[str], str],
    carries: Callable[[str], str],
    *,
    source: str,
    description: str,
) -> Attack:
    """Return the attack that puts nothing but the prompt, rewritten."""
    return Attack(
        name=name,
        version="1",
        description=description,
        source=source,
        transform=rewrite_last_turn(rewrite),
        family=FAMILY,
        decode=decode,
        expected_decoding=carries,
    )


def alphabet_attack(
    name: str,
    tables: tuple[Mapping[str, str], ...],
    *,
    source: str,
    description: str,
    fold: Callable[[str], str] = lambda text: text,
    turn: Callable[[str], str] = lambda text: text,
) -> Attack:
    """Return the attack that writes characters in the style of one of the tables, which the seed chooses.

    A prompt that holds characters of the style already gets plain ones back.

    Args:
        name: the attack's.
        tables: from a character to the one that is put for it; two tables share no styled character.
        source: where it was published.
        description: what it does, in a sentence.
        fold: what the style carries of a text, for instance capitals.
        turn: an order in which the characters are put, which is its own way back.
    """
    there = [str.maketrans(dict(table)) for table in tables]
    back = str.maketrans({sign: plain for table in tables for plain, sign in table.items()})
    known = {sign for table in tables for sign in table.values()} - {plain for table in tables for plain in table}
    strange = {ord(sign): back[ord(sign)] for sign in known}
    return character_attack(
        name,
        lambda prompt, rng: turn(fold(prompt).translate(rng.choice(there))),
        lambda attacked: turn(attacked.translate(back)),
        lambda text: fold(text).translate(strange),
        source=source,
        description=description,
    )
