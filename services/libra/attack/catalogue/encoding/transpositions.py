"""Codes that keep the characters and change their order, or put others between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain, cycle

from libra.attack.catalogue.citations import CODE_CHAMELEON, DEEP_TEAM, FLIP, PARSELTONGUE, PYRIT, cite
from libra.attack.catalogue.codecs import Codec
from libra.attack.catalogue.encoding.factory import encoding_attack

RAILS = range(2, 7)
SEPARATORS = "-_.|~+"
CONSONANTS = "bcdfghjklmnpqrstvwxz"
VOWELS = "aeiou"


def involution_codec(name: str, how: str, turn: Callable[[str], str]) -> Codec:
    """Return a code that is its own way back."""
    return Codec(name, how, turn, turn)


def by_words(turn: Callable[[list[str]], Sequence[str]]) -> Callable[[str], str]:
    """Return what works on the list of words, between which there is one space."""
    return lambda text: " ".join(turn(text.split(" ")))


def rail_order(size: int, rails: int) -> list[int]:
    """Return the places of a text in the order in which rails, written down and up again, are read one after another."""
    rows: list[list[int]] = [[] for _ in range(rails)]
    for place, row in zip(range(size), cycle([*range(rails), *range(rails - 2, 0, -1)]), strict=False):
        rows[row].append(place)
    return list(chain.from_iterable(rows))


def rail_fence_codec(rails: int) -> Codec:
    """Return the rail fence: the text written zigzag over so many rails, and read rail by rail."""

    def decode(code: str) -> str:
        places = rail_order(len(code), rails)
        return "".join(character for _, character in sorted(zip(places, code, strict=True)))

    return Codec(
        name=f"rail_fence-{rails}",
        explanation=f"a rail fence of {rails} rails",
        encode=lambda text: "".join(text[place] for place in rail_order(len(text), rails)),
        decode=decode,
    )


def even_then_odd(text: str) -> str:
    """Return the characters at even places, counted from 0, and then those at odd places."""
    return text[::2] + text[1::2]


def from_even_then_odd(code: str) -> str:
    """Return the text that `even_then_odd` wrote."""
    half = (len(code) + 1) // 2
    text = [""] * len(code)
    text[::2], text[1::2] = code[:half], code[half:]
    return "".join(text)


def join_codec(join: str) -> Codec:
    """Return the code that puts a character between every two of the text."""
    how = f'the sign "{join}" between every two characters, which is to be left out'
    return Codec(f"string_join-{join}", how, join.join, lambda code: code[::2])


def insertion_codec(name: str, how: str, letters: str, before: str, after: str) -> Codec:
    """Return a children's language: something is said before each of the letters, or after it, with the letter in it.

    Args:
        name: the code's.
        how: how to read it.
        letters: small, those that are changed.
        before: what stands before each.
        after: what stands after each; "*" is the letter again, small.
    """
    there = re.compile(f"[{letters}]", re.IGNORECASE | re.ASCII)
    back = re.compile(rf"{before}([{letters}]){after}".replace("*", r"\1"), re.IGNORECASE | re.ASCII)
    return Codec(
        name,
        how,
        lambda text: there.sub(lambda match: before + match[0] + after.replace("*", match[0].lower()), text),
        lambda code: back.sub(r"\1", code),
    )


FLIP_CHARACTERS = involution_codec(
    "flip_characters", "the whole text backwards, the last character first", lambda text: text[::-1]
)
FLIP_WORDS = involution_codec(
    "flip_words", "the words in reverse order, the last first", by_words(lambda words: words[::-1])
)
FLIP_IN_WORDS = involution_codec(
    "flip_in_words",
    "each word backwards, with the words in their order",
    by_words(lambda words: [word[::-1] for word in words]),
)
ODD_EVEN = Codec(
    "odd_even",
    "first the characters at even places, counted from 0, and then those at odd places",
    even_then_odd,
    from_even_then_odd,
)
UBBI_DUBBI = insertion_codec("ubbi_dubbi", 'Ubbi Dubbi, with "ub" before each vowel letter', VOWELS, "ub", "")
ROVARSPRAKET = insertion_codec(
    "rovarspraket",
    'the robbers\' language, in which each consonant is followed by "o" and itself',
    CONSONANTS,
    "",
    "o*",
)

TRANSPOSITIONS = (
    encoding_attack("flip_characters", [FLIP_CHARACTERS], source=FLIP, what="backwards"),
    encoding_attack("flip_words", [FLIP_WORDS], source=FLIP, what="with its words in reverse order"),
    encoding_attack("flip_in_words", [FLIP_IN_WORDS], source=FLIP, what="with each word backwards"),
    encoding_attack("odd_even", [ODD_EVEN], source=CODE_CHAMELEON, what="with its even characters before its odd ones"),
    encoding_attack(
        "rail_fence",
        [rail_fence_codec(rails) for rails in RAILS],
        source=cite(PARSELTONGUE, "Rail Fence"),
        what="zigzag over two to six rails",
    ),
    encoding_attack(
        "string_join",
        [join_codec(join) for join in SEPARATORS],
        source=f"{cite(PYRIT, 'StringJoinConverter')}; {cite(DEEP_TEAM, 'CharacterStream')}",
        what="with a sign between every two characters",
    ),
    encoding_attack("ubbi_dubbi", [UBBI_DUBBI], source=cite(PARSELTONGUE, "Ubbi Dubbi"), what="in Ubbi Dubbi"),
    encoding_attack(
        "rovarspraket", [ROVARSPRAKET], source=cite(PARSELTONGUE, "Rövarspråket"), what="in the robbers' language"
    ),
)
