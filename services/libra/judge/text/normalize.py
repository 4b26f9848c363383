"""Bring text to one form, so that a comparison sees what a reader sees."""

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
"""Zero-width characters, direction marks, fillers and variation selectors: they are not seen."""

TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)} | {0xE0001: None, 0xE007F: None}
"""Tag characters are not seen either, but each stands for one of ASCII, so that text can hide in them."""

ONE_FORM = INVISIBLE | TAGS | QUOTES | DASHES

LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһӏвкмнтАЕОРСУХІЈЅВКМНТαονρτυιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijsdhlbkmhtAEOPCYXIJSBKMHTaovptuiABEZHIKMNOPTYX"
)
"""Cyrillic and Greek letters that pass for Latin ones."""


def one_form(text: str) -> str:
    """Return the text in NFKC, without invisible characters, with plain quotes and dashes, each run of space as one."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(ONE_FORM)).translate(QUOTES | DASHES)
    return " ".join(text.split())


def plain(text: str) -> str:
    """Return the text in one form and without case."""
    return one_form(text).casefold()


def latinised(text: str) -> str:
    """Return text that is in one form with look-alikes as Latin letters and without accents."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text.translate(LOOK_ALIKES))
    return "".join(character for character in apart if not unicodedata.combining(character))
