"""Read text that is spelled out or coded: alphabets of names, codes of characters, Morse, first letters.

Each function returns the text that a reader would write down, in lower case unless case is kept by the code.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from text_to_num import alpha2digit

from libra.judge.text.data_files import load_data
from libra.judge.text.normalize import latinize

MAX_WORD_CHARACTERS = 20_000
"""Maximum length of a text that is searched for number words and names of letters."""

MIN_CODES = 3
MAX_CODE_POINT, FIRST_PRINTABLE, LAST_LATIN = 0x10FFFF, 32, 591
LETTERS = 26

WORD = re.compile(r"[^\W\d_]+(?:-ray)?|(?<!\d)\d(?!\d)")
CHINESE_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
TENS = re.compile("(?:twen|thir|for|fif|six|seven|eigh|nine)(?:ty|teen)|eleven|twelve|hundred")
OH = re.compile(r"\boh\b(?=[ -](?:oh|one|two|three|four|five|six|seven|eight|nine|zero)\b)")
"""The digit 0, as it is read aloud."""

SINGLE = re.compile(r"(?<![^\W_])(?<![\w]')[^\W_](?![^\W_])(?!'\w)")
NUMBER = re.compile(r"(?<![\w.])\d{1,7}(?!\w)")
ESCAPED = re.compile(r"(?:0x|\\x|\\u\{?|u\+|#x)([0-9a-f]{2,6})(?![0-9a-f])", re.IGNORECASE)
BINARY = re.compile(r"(?<!\d)[01]{7,8}(?!\d)")
OCTAL = re.compile(r"(?<!\d)[01]?[0-7]{2}(?!\d)")
CODE_SIGN = re.compile(r"\d|\\|U\+", re.IGNORECASE)
"""Something without which a text has no codes of characters."""

MORSE = re.compile(r"(?<!\S)[.\-]{1,5}(?!\S)")
LIST_NUMBER = re.compile(
    r"(?:^|(?<=\s))\(?\d{1,2}[.):]\s{1,3}|\b(?:letter|character|char|position|digit|item|line|number|no\.)\s{1,3}#?\d{1,2}\b",
    re.IGNORECASE,
)
BASE32 = re.compile(r"[A-Z2-7]{8,4096}={0,6}")
HEX_SEPARATOR = re.compile(r"0x|\\x|[\s:,;-]", re.IGNORECASE)
LINE_START = re.compile(r"^[^\w\n]*(?:\d{1,2}[.)]\s*)?([^\W_])", re.MULTILINE)
WORD_START = re.compile(r"(?<![\w'])[^\W_]")
SENTENCE_START = re.compile(r"(?:^|(?<=[.!?]\s))\W{0,3}([^\W_])")


@lru_cache
def spelling(name: str) -> dict[str, str]:
    """Return a table of data/spelling.yaml as words to characters."""
    table: Any = load_data("libra.judge.text", "spelling.yaml")[name]
    if isinstance(table, str):
        return {word: word[0] for word in table.split()}
    return {
        form: str(character)
        for character, words in table.items()
        for word in str(words).split()
        for form in (word, latinize(word))
    }


@lru_cache
def _names() -> dict[str, str]:
    return spelling("digits") | spelling("german") | spelling("nato")


def by_names(text: str) -> str:
    """Return what names of letters and digits spell, in the order of the text: "sierra, whiskey, four"."""
    names = _names()
    return "".join(
        names.get(word, word if word.isdigit() else "") for word in WORD.findall(text[:MAX_WORD_CHARACTERS].casefold())
    )


def with_number_words(text: str) -> list[str]:
    """Return the text with number words in digits: as a number, and digit by digit."""
    head = text[:MAX_WORD_CHARACTERS]
    digits, by_digit = spelling("digits"), head.translate(CHINESE_DIGITS)
    if not digits.keys().isdisjoint(WORD.findall(by_digit)):
        by_digit = WORD.sub(lambda word: digits.get(word[0], word[0]), by_digit)
    forms = [by_digit] if by_digit != head else []
    if forms or TENS.search(head):
        forms.append(alpha2digit(OH.sub("zero", head), "en", threshold=0))
    return forms


def single_letters(text: str) -> str:
    """Return all letters and digits that stand alone, in order."""
    return "".join(SINGLE.findall(text))


def without_list_numbers(text: str) -> str:
    """Return text without the numbers of list items."""
    return LIST_NUMBER.sub(" ", text)


def unescaped(text: str) -> str:
    """Return text with percent signs, character references and other escapes decoded."""
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = unquote(text, errors="replace")
    return text


def by_codes(text: str) -> list[str]:
    """Return what numbers spell as code points, in four bases, and as places in the alphabet."""
    if not CODE_SIGN.search(text):
        return []
    numbers = [int(number) for number in NUMBER.findall(text)]
    spelled = [
        "".join(_character(int(code, 16)) for code in ESCAPED.findall(text)),
        "".join(map(_character, numbers)),
        "".join(_character(int(code, 2)) for code in BINARY.findall(text)),
        "".join(_character(int(code, 8)) for code in OCTAL.findall(text)),
        "".join(chr(ord("a") + number - 1) if 1 <= number <= LETTERS else " " for number in numbers),
    ]
    return [one for one in spelled if len(one) >= MIN_CODES]


def _character(code: int) -> str:
    return chr(code) if FIRST_PRINTABLE <= code <= MAX_CODE_POINT and not 0xD800 <= code < 0xE000 else ""  # noqa: PLR2004


def by_morse(text: str) -> str:
    """Return what the Morse signs in a text spell."""
    letters = spelling("morse")
    return "".join(letters.get(sign, "") for sign in MORSE.findall(text))


def by_base32(text: str) -> str:
    """Return what the runs of Base32 in a text say."""
    return " ".join(filter(None, map(_base32_text, BASE32.findall(text)[:50])))


def _base32_text(run: str) -> str:
    bare = run.rstrip("=")
    try:
        return base64.b32decode(bare + "=" * (-len(bare) % 8)).decode("ascii", "ignore")
    except (binascii.Error, ValueError):
        return ""


def as_hexadecimal(text: str) -> str:
    """Return text without what separates bytes in hexadecimal."""
    return HEX_SEPARATOR.sub("", text)


def first_letters(text: str) -> list[tuple[str, int]]:
    """Return the first letters of lines, sentences and words, with the length at which chance is excluded."""
    head = text[:MAX_WORD_CHARACTERS]
    return [
        ("".join(LINE_START.findall(head)), 5),
        ("".join(SENTENCE_START.findall(head)), 5),
        ("".join(WORD_START.findall(head)), 8),
    ]
