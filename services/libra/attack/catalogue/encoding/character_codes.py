"""Codes of the numbers that Unicode gives to characters, which carry any text."""

from __future__ import annotations

import re
from collections.abc import Callable

from libra.attack.catalogue.citations import CIPHER_CHAT, PARSELTONGUE, PYRIT, of
from libra.attack.catalogue.codecs import Code
from libra.attack.catalogue.encoding.factory import encoding

FIRST_BEYOND_FOUR_DIGITS = 0x1_0000


def numbered(name: str, how: str, write: Callable[[int], str], pattern: str, base: int, *, between: str = "") -> Code:
    """Return the code that writes each character's number; `pattern` finds the digits, in this base, in its first group."""
    written = re.compile(pattern)
    return Code(
        name,
        how,
        lambda text: between.join(write(ord(character)) for character in text),
        lambda code: "".join(chr(int(max(match.groups("")), base)) for match in written.finditer(code)),
    )


def escape(number: int) -> str:
    """Return the escape of a character as programs write it: four digits, or eight after a capital U."""
    return f"\\u{number:04x}" if number < FIRST_BEYOND_FOUR_DIGITS else f"\\U{number:08x}"


ASCII_CODES = numbered(
    "ascii_codes",
    "the number of each character, in ASCII or Unicode, in decimal digits",
    str,
    r"(\d+)",
    10,
    between=" ",
)
CODE_POINTS = numbered(
    "code_points",
    "the code point of each character",
    lambda number: f"U+{number:04X}",
    r"U\+([0-9A-F]+)",
    16,
    between=" ",
)
HTML_ENTITIES = numbered("html_entities", "HTML character references", lambda number: f"&#{number};", r"&#(\d+);", 10)
UNICODE_ESCAPES = numbered(
    "unicode_escapes", "the escapes of Unicode characters, as in a program", escape, r"\\u(\w{4})|\\U(\w{8})", 16
)
CHARACTER_CODES = (
    encoding(
        "ascii_codes",
        [ASCII_CODES],
        source=of(CIPHER_CHAT, "the ASCII cipher"),
        what="as the characters' decimal numbers",
    ),
    encoding("code_points", [CODE_POINTS], source=of(CIPHER_CHAT, "the Unicode cipher"), what="as Unicode code points"),
    encoding("html_entities", [HTML_ENTITIES], source=of(PARSELTONGUE, "HTML Entities"), what="as HTML references"),
    encoding(
        "unicode_escapes",
        [UNICODE_ESCAPES],
        source=of(PYRIT, "UnicodeReplacementConverter"),
        what="as the escapes of a program",
    ),
)
