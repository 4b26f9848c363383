"""Normalize text, so that a comparison sees what a reader sees, and cut long text."""

from __future__ import annotations

import unicodedata

QUOTES = {ord(mark): "'" for mark in "‘’‚‛′ʼ＇`´"} | {ord(mark): '"' for mark in "“”„‟″«»＂"}
DASHES = {ord(mark): "-" for mark in "‐‑‒–—―−﹘－"}

INVISIBLE = dict.fromkeys(
    [
        *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x180E, 0x3164, 0xFEFF, 0xFFA0),
        *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
        *(*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
    ]
)
"""Zero-width characters, direction marks, fillers and variation selectors."""

TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)} | {0xE0001: None, 0xE007F: None}
"""Tag characters are invisible as well, but each stands for an ASCII character, so they can hide text."""

TRANSLATION = INVISIBLE | TAGS | QUOTES | DASHES

LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһӏвкмнтАЕОРСУХІЈЅВКМНТαονρτυιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijsdhlbkmhtAEOPCYXIJSBKMHTaovptuiABEZHIKMNOPTYX"
)
"""Cyrillic and Greek letters that look like Latin ones."""

HEAD_CHARACTERS, TAIL_CHARACTERS = 4_000, 16_000
"""How much of the beginning and of the end of a long answer is read."""


def normalize(text: str) -> str:
    """Return the text in NFKC, without invisible characters, with plain quotes and dashes and single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(TRANSLATION)).translate(QUOTES | DASHES)
    return " ".join(text.split())


def normalize_and_casefold(text: str) -> str:
    """Return the text normalized and without case."""
    return normalize(text).casefold()


def latinize(text: str) -> str:
    """Return normalized text with Latin letters in place of look-alikes and without accents."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text.translate(LOOK_ALIKES))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def head_and_tail(text: str) -> str:
    """Return the text; if it is long, its beginning and its end on separate lines."""
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    return f"{text[:HEAD_CHARACTERS]}\n{text[-TAIL_CHARACTERS:]}"
