"""Decode an answer in a simple code, because some prompts ask for one."""

from __future__ import annotations

import base64
import binascii
import re
import string

from libra.judge.refusal_detection.language_id import is_english, is_natural, is_pronounceable

BASE64 = re.compile(r"^[A-Za-z0-9+/\s]{16,}={0,2}\s*$")
MIN_BASE64_WORD_CHARACTERS = 12
"""Base64 has at least this average length between spaces, which no language has."""

SAMPLE_CHARACTERS = 400
"""The part of an answer by which its code is recognized."""

MIN_PRINTABLE_SHARE = 0.9

LOWER = string.ascii_lowercase
ATBASH = str.maketrans(LOWER + LOWER.upper(), LOWER[::-1] + LOWER[::-1].upper())


def caesar_table(shift: int) -> dict[int, int]:
    """Return the translation table that shifts every letter in the alphabet."""
    shifted = LOWER[shift:] + LOWER[:shift]
    return str.maketrans(LOWER + LOWER.upper(), shifted + shifted.upper())


def decode(text: str) -> str | None:
    """Return the plain text of an answer; None if it is in no language and in no code that can be decoded.

    It decodes Base64, Caesar's cipher with any shift, and Atbash.
    """
    if (plain := _from_base64(text)) is not None:
        return plain
    sample = text[:SAMPLE_CHARACTERS]
    if is_natural(sample):
        return text
    for table in [ATBASH, *(caesar_table(shift) for shift in range(1, len(LOWER)))]:
        if is_english(sample.translate(table)):
            return text.translate(table)
    return text if is_pronounceable(sample) else None


def _from_base64(text: str) -> str | None:
    words = text.split()
    if not BASE64.match(text) or sum(map(len, words)) < len(words) * MIN_BASE64_WORD_CHARACTERS:
        return None
    try:
        plain = base64.b64decode("".join(words) + "==").decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    printable = sum(character.isprintable() or character.isspace() for character in plain)
    return plain if plain and printable >= MIN_PRINTABLE_SHARE * len(plain) else None
