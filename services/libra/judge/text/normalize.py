"""Normalize text, so that a comparison sees what a reader sees, and cut long text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

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


BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")


class CharacterSet:
    """A set of characters that is searched for quickly.

    A regular expression tests characters of up to 16 bits by a table, and others one by one: those are looked for in
    texts only that have any such character.
    """

    def __init__(self, characters: Iterable[str]) -> None:
        every = "".join(characters)
        self._short = re.compile(f"[{re.escape(BEYOND_16_BITS.sub('', every))}]")
        beyond = "".join(BEYOND_16_BITS.findall(every))
        self._beyond = re.compile(f"[{beyond}]") if beyond else None

    def is_in(self, text: str) -> bool:
        """Tell whether a text has one of the characters."""
        return self._short.search(text) is not None or (
            self._beyond is not None and BEYOND_16_BITS.search(text) is not None and bool(self._beyond.search(text))
        )

    def remove_from(self, text: str) -> str:
        """Return the text without the characters."""
        text = self._short.sub("", text)
        return self._beyond.sub("", text) if self._beyond is not None and BEYOND_16_BITS.search(text) else text


class CharacterTable:
    """A table for `str.translate`. A long text without a character of it is left alone in a tenth of the time."""

    def __init__(self, table: Mapping[int, int | str | None]) -> None:
        self._table, self._characters = table, CharacterSet(map(chr, table))

    def translate(self, text: str) -> str:
        """Return the text with the characters of the table replaced."""
        return text.translate(self._table) if self._characters.is_in(text) else text


TRANSLATION = CharacterTable(INVISIBLE | TAGS | QUOTES | DASHES)

QUOTES_AND_DASHES = CharacterTable(QUOTES | DASHES)

LOOK_ALIKES = CharacterTable(
    str.maketrans(
        "аеорсухіјѕԁһӏвкмнтАЕОРСУХІЈЅВКМНТαονρτυιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aeopcyxijsdhlbkmhtAEOPCYXIJSBKMHTaovptuiABEZHIKMNOPTYX",
    )
)
"""Cyrillic and Greek letters that look like Latin ones."""

MAX_COMBINING_CODE = 0x20000
"""No combining character has a higher code."""

ACCENTS = CharacterSet(one for one in map(chr, range(MAX_COMBINING_CODE)) if unicodedata.combining(one))

HEAD_CHARACTERS, TAIL_CHARACTERS = 4_000, 16_000
"""Lengths of the parts that are read at the beginning and at the end of a long answer."""


def normalize(text: str) -> str:
    """Return the text in NFKC, without invisible characters, with plain quotes and dashes and single spaces."""
    if not text.isascii():
        text = QUOTES_AND_DASHES.translate(unicodedata.normalize("NFKC", TRANSLATION.translate(text)))
    return " ".join(text.split())


def normalize_and_casefold(text: str) -> str:
    """Return the text normalized and without case."""
    return normalize(text).casefold()


def latinize(text: str) -> str:
    """Return normalized text with Latin letters in place of look-alikes and without accents."""
    if text.isascii():
        return text
    return ACCENTS.remove_from(unicodedata.normalize("NFD", LOOK_ALIKES.translate(text)))


def head_and_tail(text: str) -> str:
    """Return the text; if it is long, its beginning and its end on separate lines."""
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    return f"{text[:HEAD_CHARACTERS]}\n{text[-TAIL_CHARACTERS:]}"
