"""Parse numbers in the ways that people write them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from libra.judge.text.normalize import normalize

MAX_DIGITS = 60
"""A number with more digits is not read: no task asks for one."""

LARGE_EXPONENT = re.compile(r"[eE][-+]?[\d_]{3}")
"""An exponent of three digits or more: a fraction with 1e999999999 takes minutes and gigabytes."""

GROUPED = (
    r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?"
    r"|\d{1,3}(?: \d{3})+(?![\d,])(?:\.\d+)?"
    r"|\d{1,3}(?:\.\d{3}){2,}(?!\d)(?:,\d+)?"
    r"|\d{1,3}(?:\.\d{3})+,\d+"
)
NUMBER = re.compile(
    r"\\[dt]?frac\{(?P<over>-?\d{1,60})\}\{(?P<under>\d{1,60})\}"
    r"|(?P<sign>(?<![\w)\]%])[-+](?=[\d.$€£¥])[$€£¥]?|[$€£¥] ?-|)(?<![\d.])(?:"
    r"(?P<whole>\d{1,12})[ -](?P<mixed_over>\d{1,6}) ?[/⁄] ?(?P<mixed_under>\d{1,6})"
    r"|(?P<above>\d{1,60}) ?[/⁄] ?(?P<below>\d{1,60})(?![/\d])"
    rf"|(?P<grouped>{GROUPED})"
    r"|(?P<plain>\d+(?:[.,]\d+)?|\.\d+)"
    r")(?P<power> ?(?:x|×|\*|\\times|·) ?10(?:\^|\*\*)\{?(?P<exponent>-?\d{1,3})\}?"
    r"|[eE](?P<short_exponent>[-+]?\d{1,3})(?!\w))?"
    r"(?P<percent> ?\\?%| percent\b| per cent\b)?"
    r"(?P<scale> (?:hundred|thousand|million|billion|trillion)\b)?"
)

DIGIT = re.compile(r"\d")

SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12}

UNIT_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
UNITS = {word: value for value, word in enumerate(UNIT_WORDS.split())}
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
NUMBER_WORDS = re.compile(
    rf"\b(minus |negative )?(?:({'|'.join(TENS)})(?:[- ]({'|'.join(list(UNITS)[1:10])}))?|({'|'.join(UNITS)}))"
    r"( hundred| thousand| million)?\b"
)

ROUNDING_TOLERANCE = Fraction(1, 10**9)
"""Relative: the rounding error of a number that is written with ten digits."""


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """A number and its position in a text."""

    value: Fraction
    is_percentage: bool
    start: int
    end: int


def normalize_digits(text: str) -> str:
    """Return text with plain digits, signs and fractions, as the parsers need it. Lines are kept."""
    if text.isascii():
        return text
    lines = "\n".join(normalize(_space_before_fractions(line)) for line in text.splitlines())
    return "".join(_plain_digit(character) for character in lines)


def parse_numbers(text: str) -> list[ParsedNumber]:
    """Return the numbers in digits in a text with normalized digits, in order."""
    if not DIGIT.search(text):
        return []
    return [number for match in NUMBER.finditer(text) if (number := _parse_digits(match))]


def parse_number_words(text: str) -> list[ParsedNumber]:
    """Return the numbers in English words in a text with normalized digits, in order.

    It reads a number below 100 with at most one word for its scale, as in "forty-two thousand".
    """
    return [_parse_words(match) for match in NUMBER_WORDS.finditer(text.casefold())]


def parse_single_number(text: str) -> ParsedNumber | None:
    """Return the number in a text, which may have a unit; None if there is no number or more than one."""
    plain = normalize_digits(text)
    found = parse_numbers(plain) or parse_number_words(plain)
    return found[0] if len(found) == 1 else None


def numbers_agree(given: ParsedNumber, wanted: ParsedNumber, tolerance: Fraction) -> bool:
    """Tell whether two numbers agree within an absolute tolerance. A percentage also agrees with its hundredth."""
    return any(
        abs(one - other) <= max(tolerance, ROUNDING_TOLERANCE * abs(other))
        for one in _meanings(given, wanted)
        for other in _meanings(wanted, given)
    )


def parse_tolerance(text: str, wanted: Fraction) -> Fraction:
    """Return an absolute tolerance from "0.01" or, relative to the wanted number, "1%"; else raise ValueError."""
    stripped = text.strip()
    if len(stripped) > MAX_DIGITS or LARGE_EXPONENT.search(stripped):
        raise ValueError(f"{text[:MAX_DIGITS]!r} has too many digits")
    value = Fraction(stripped.rstrip("%").strip())
    if value < 0:
        raise ValueError(f"{text!r} is negative")
    return abs(wanted) * value / 100 if stripped.endswith("%") else value


def _meanings(number: ParsedNumber, other: ParsedNumber) -> tuple[Fraction, ...]:
    if number.is_percentage and not other.is_percentage:
        return number.value, number.value / 100
    return (number.value,)


def _parse_digits(match: re.Match[str]) -> ParsedNumber | None:
    value = _fraction(match) if match["over"] or match["above"] or match["mixed_over"] else _decimal(match)
    if value is None:
        return None
    if "-" in (match["sign"] or ""):
        value = -value
    exponent = int(match["exponent"] or match["short_exponent"] or 0)
    value *= Fraction(10) ** exponent
    if match["scale"]:
        value *= SCALES[match["scale"].strip()]
    return ParsedNumber(value, match["percent"] is not None, match.start(), match.end())


def _fraction(match: re.Match[str]) -> Fraction | None:
    numerator = int(match["over"] or match["above"] or match["mixed_over"])
    denominator = int(match["under"] or match["below"] or match["mixed_under"])
    if not denominator:
        return None
    return Fraction(numerator, denominator) + int(match["whole"] or 0)


def _decimal(match: re.Match[str]) -> Fraction | None:
    digits = match["grouped"] or match["plain"]
    if len(digits) > MAX_DIGITS:
        return None
    if match["grouped"]:
        is_european = digits.rfind(",") > digits.rfind(".") >= 0 or digits.count(".") > 1
        digits = digits.replace(".", "").replace(",", ".") if is_european else digits.replace(",", "").replace(" ", "")
    return Fraction(digits.replace(",", "."))


def _parse_words(match: re.Match[str]) -> ParsedNumber:
    minus, tens, unit, small, scale = match.groups()
    value = TENS[tens] + UNITS.get(unit or "zero", 0) if tens else UNITS[small]
    value *= SCALES[scale.strip()] if scale else 1
    return ParsedNumber(Fraction(-value if minus else value), False, match.start(), match.end())


def _space_before_fractions(line: str) -> str:
    """Insert a space before "½" and similar characters, because "3½" would otherwise become 31/2."""
    return "".join(f" {one}" if unicodedata.decomposition(one).startswith("<fraction>") else one for one in line)


def _plain_digit(character: str) -> str:
    value = unicodedata.decimal(character, None) if not character.isascii() else None
    return character if value is None else str(value)
