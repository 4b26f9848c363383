"""Ways to write a text so that it can be read back. Each takes any text; what it cannot carry, it says."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

LETTERS = len(string.ascii_lowercase)


def identity(text: str) -> str:
    """Return the text as it is."""
    return text


def to_ascii_upper(text: str) -> str:
    """Return the text with the letters a to z made capitals, and no other."""
    return text.translate(ASCII_UPPER)


ASCII_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


@dataclass(frozen=True, slots=True)
class Codec:
    """One way, with its own way back."""

    name: str
    explanation: str
    """How to read it, as said to a model."""

    encode: Callable[[str], str]
    decode: Callable[[str], str]
    expected_decoding: Callable[[str], str] = identity
    """What comes back of a text: all of it, or the text with its letters made capitals, and the like."""


def base64_codec() -> Codec:
    """Return Base64 (RFC 4648, section 4) of the text in UTF-8; it adds a third to the size."""
    return Codec(
        name="base64",
        explanation="Base64 of the text in UTF-8",
        encode=lambda text: base64.b64encode(text.encode()).decode("ascii"),
        decode=lambda code: base64.b64decode(code, validate=True).decode(),
    )


@lru_cache(maxsize=LETTERS)
def caesar_codec(shift: int) -> Codec:
    """Return the code that moves each of the letters a to z by `shift` places (1 to 25) and keeps everything else."""
    there, back = (shift_table(shift), shift_table(-shift))
    return Codec(
        name=f"caesar-{shift}",
        explanation=f"each letter from A to Z moved on by {shift} in the alphabet, with A following Z",
        encode=lambda text: text.translate(there),
        decode=lambda code: code.translate(back),
    )


@lru_cache(maxsize=1)
def atbash_codec() -> Codec:
    """Return the code that turns the alphabet around: a is z, b is y; it is its own way back."""
    table = letter_table(string.ascii_lowercase[::-1])
    return Codec(
        name="atbash",
        explanation="the alphabet turned around, Z for A, Y for B, and so on to A for Z",
        encode=lambda text: text.translate(table),
        decode=lambda code: code.translate(table),
    )


def shift_table(places: int) -> dict[int, int]:
    """Return the table that moves letters on by so many places, backwards if negative."""
    turn = places % LETTERS
    return letter_table(string.ascii_lowercase[turn:] + string.ascii_lowercase[:turn])


def letter_table(alphabet: str) -> dict[int, int]:
    """Return the table from a to z into `alphabet`, for small and capital letters."""
    return str.maketrans(string.ascii_lowercase + string.ascii_uppercase, alphabet + alphabet.upper())
