"""Codes of the numbers that Unicode gives to characters, which carry any text."""

from __future__ import annotations

import re
from collections.abc import Callable

from libra.attack.catalogue.citations import CIPHER_CHAT, PARSELTONGUE, PYRIT, cite
from libra.attack.catalogue.codecs import Codec
from libra.attack.catalogue.encoding.factory import encoding_attack

FIRST_BEYOND_FOUR_DIGITS = 0x1_0000


def code_point_codec(
    name: str, how: str, write: Callable[[int], str], pattern: str, base: int, *, between: str = ""
) -> Codec:
    """Return the code that writes each character's number; `pattern` finds the digits, in this base, in its first group."""
    written = re.compile(pattern)
    return Codec(
        name,
        how,
        lambda text: between.join(write(ord(character)) for character in text),
        lambda code: "".join(chr(int(max(match.groups("")), base)) for match in written.finditer(code)),
    )


def escape(number: int) -> str:
    """Return the escape of a character as programs write it: four digits, or eight after a capital U."""
    return f"\\u{number:04x}" if number < FIRST_BEYOND_FOUR_DIGITS else f"\\U{number:08x}"


ASCII_CODES = code_point_codec(
    "ascii_codes",
    "the number of each character, in ASCII or Unicode, in decimal digits",
    str,
    r"(\d+)",
    10,
    between=" ",
)
CODE_POINTS = code_point_codec(
    "code_points",
    "the code point of each character",
    lambda number: f"U+{number:04X}",
    r"U\+([0-9A-F]+)",
    16,
    between=" ",
)
HTML_ENTITIES = code_point_codec(
    "html_entities", "HTML character references", lambda number: f"&#{number};", r"&#(\d+);", 10
)
UNICODE_ESCAPES = code_point_codec(
    "unicode_escapes", "the escapes of Unicode characters, as in a program", escape, r"\\u(\w{4})|\\U(\w{8})", 16
)
CHARACTER_CODES = (
    encoding_attack(
        "ascii_codes",
        [ASCII_CODES],
        source=cite(CIPHER_CHAT, "the ASCII cipher"),
        what="as the characters' decimal numbers",
    ),
    encoding_attack(
        "code_points", [CODE_POINTS], source=cite(CIPHER_CHAT, "the Unicode cipher"), what="as Unicode code points"
    ),
    encoding_attack(
        "html_entities", [HTML_ENTITIES], source=cite(PARSELTONGUE, "HTML Entities"), what="as HTML references"
    ),
    encoding_attack(
        "unicode_escapes",
        [UNICODE_ESCAPES],
        source=cite(PYRIT, "UnicodeReplacementConverter"),
        what="as the escapes of a program",
    ),
)
