"""Codecs that write the Unicode code points of characters; they preserve any text."""

from __future__ import annotations

import re
from collections.abc import Callable

from libra.attack.catalogue.citations import CIPHER_CHAT, PARSELTONGUE, PYRIT, cite
from libra.attack.catalogue.codecs import Codec
from libra.attack.catalogue.encoding.factory import encoding_attack

FIRST_BEYOND_FOUR_DIGITS = 0x1_0000


def code_point_codec(
    name: str, explanation: str, write: Callable[[int], str], pattern: str, base: int, *, separator: str = ""
) -> Codec:
    """Return the codec that writes each code point; the groups of `pattern` find its digits in this base."""
    compiled = re.compile(pattern)
    return Codec(
        name,
        explanation,
        lambda text: separator.join(write(ord(character)) for character in text),
        lambda code: "".join(chr(int(max(match.groups("")), base)) for match in compiled.finditer(code)),
    )


def escape(number: int) -> str:
    """Return a character as the Unicode escape of a program: four digits, or eight after a capital U."""
    return f"\\u{number:04x}" if number < FIRST_BEYOND_FOUR_DIGITS else f"\\U{number:08x}"


ASCII_CODES = code_point_codec(
    "ascii_codes",
    "the number of each character, in ASCII or Unicode, in decimal digits",
    str,
    r"(\d+)",
    10,
    separator=" ",
)
CODE_POINTS = code_point_codec(
    "code_points",
    "the code point of each character",
    lambda number: f"U+{number:04X}",
    r"U\+([0-9A-F]+)",
    16,
    separator=" ",
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
        what="as the decimal numbers of its characters",
    ),
    encoding_attack(
        "code_points", [CODE_POINTS], source=cite(CIPHER_CHAT, "the Unicode cipher"), what="as Unicode code points"
    ),
    encoding_attack(
        "html_entities",
        [HTML_ENTITIES],
        source=cite(PARSELTONGUE, "HTML Entities"),
        what="as HTML character references",
    ),
    encoding_attack(
        "unicode_escapes",
        [UNICODE_ESCAPES],
        source=cite(PYRIT, "UnicodeReplacementConverter"),
        what="as Unicode escapes",
    ),
)
