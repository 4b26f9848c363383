"""Codecs: reversible ways to encode any text. A codec that loses information declares it in `expected_decoding`."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

LETTERS = len(string.ascii_lowercase)


def identity(text: str) -> str:
    """Return the text unchanged."""
    return text


def to_ascii_upper(text: str) -> str:
    """Return the text with only the letters a to z turned into capitals."""
    return text.translate(ASCII_UPPER)


ASCII_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


@dataclass(frozen=True, slots=True)
class Codec:
    """A way to encode a text, and its inverse."""

    name: str
    explanation: str
    """Explains to the model how to read the code."""

    encode: Callable[[str], str]
    decode: Callable[[str], str]
    expected_decoding: Callable[[str], str] = identity
    """The text that `decode` returns for an encoded text: the text itself or, for instance, the text in capitals."""


def base64_codec() -> Codec:
    """Return the codec for Base64 (RFC 4648, section 4) of the text in UTF-8; it adds a third to the size."""
    return Codec(
        name="base64",
        explanation="Base64 of the text in UTF-8",
        encode=lambda text: base64.b64encode(text.encode()).decode("ascii"),
        decode=lambda code: base64.b64decode(code, validate=True).decode(),
    )


@lru_cache(maxsize=LETTERS)
def caesar_codec(shift: int) -> Codec:
    """Return the Caesar cipher, which shifts the letters a to z by `shift` places (1 to 25)."""
    table, inverse = (shift_table(shift), shift_table(-shift))
    return Codec(
        name=f"caesar-{shift}",
        explanation=f"each letter from A to Z moved on by {shift} in the alphabet, with A following Z",
        encode=lambda text: text.translate(table),
        decode=lambda code: code.translate(inverse),
    )


@lru_cache(maxsize=1)
def atbash_codec() -> Codec:
    """Return Atbash, which reverses the alphabet: a is z, b is y; it is its own inverse."""
    table = letter_table(string.ascii_lowercase[::-1])
    return Codec(
        name="atbash",
        explanation="the alphabet turned around, Z for A, Y for B, and so on to A for Z",
        encode=lambda text: text.translate(table),
        decode=lambda code: code.translate(table),
    )


def shift_table(places: int) -> dict[int, int]:
    """Return the table that shifts letters by `places`, backwards if negative."""
    start = places % LETTERS
    return letter_table(string.ascii_lowercase[start:] + string.ascii_lowercase[:start])


def letter_table(alphabet: str) -> dict[int, int]:
    """Return the table from the letters a to z to `alphabet`, for small and capital letters."""
    return str.maketrans(string.ascii_lowercase + string.ascii_uppercase, alphabet + alphabet.upper())
