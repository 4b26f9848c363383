"""Parse numbers in digits, in the ways that people write them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from libra.judge.answers.wording import STARTS_UNSPACED, load_words, phrases

MAX_DIGITS = 60
"""A number with more digits is not read: no task asks for one."""

MAX_POWER_DIGITS = 400
"""A power with more digits is not read."""

DATA = load_words("numbers.yaml")
SCALES = {name: int(value) for value, names in DATA["scales"].items() for name in phrases(names)}
SCALE_WORDS = {re.compile(name, re.IGNORECASE): value for name, value in SCALES.items()}
SCALE = "|".join(
    name if STARTS_UNSPACED.match(name) else rf"(?:{name})(?!\w)" for name in sorted(SCALES, key=len, reverse=True)
)
PERCENT = "|".join(phrases(DATA["percent"]))

GROUPED = (
    r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?"
    r"|\d{1,2}(?:,\d{2})+,\d{3}(?!\d)(?:\.\d+)?"
    r"|\d{1,3}(?:[ ]\d{3})+(?!\d)(?:[.,]\d+)?"
    r"|\d{1,3}(?:['_]\d{3})+(?!\d)(?:[.,]\d+)?"
    r"|\d{1,3}(?:\.\d{3}){2,}(?!\d)(?:,\d+)?"
    r"|\d{1,3}(?:\.\d{3})+,\d+"
)
NUMBER = re.compile(
    r"(?=[-+.\d√π])(?P<sign>(?<![\w)\]%^²])[-+](?=[\d.€£¥₹√])(?:[€£¥₹][ ]?)?|)(?<![\d.])(?<![A-Za-z_]\d)(?:"
    r"(?P<whole>\d{1,12})(?:[ -]|[ ]and[ ])(?P<mixed_over>\d{1,6})[ ]?/[ ]?(?P<mixed_under>\d{1,6})(?![/\d])"
    r"|(?P<above>\d{1,60})[ ]?/[ ]?(?P<below>-?\d{1,60})(?![/\d])"
    r"|(?P<coefficient>\d{1,12}(?:\.\d{1,12})?)?[ ]?(?:√[ ]?\(?(?P<root>\d{1,12}(?:\.\d{1,12})?)\)?|(?P<pi>π))"
    r"(?:[ ]?/[ ]?(?P<divisor>\d{1,12}))?"
    r"|(?P<base>\d{1,9})[ ]?\^[ ]?\(?(?P<raised>-?\d{1,3})\)?(?!\d)"
    rf"|(?P<grouped>{GROUPED})"
    r"|(?P<plain>\d+(?:[.,]\d+)?|\.\d+)"
    r")(?P<power>[ ]?[x×*][ ]?10[ ]?\^[ ]?[({]?(?P<exponent>[-+]?\d{1,3})[)}]?"
    r"|[eE](?P<short_exponent>[-+]?\d{1,3})(?!\w))?"
    rf"(?P<percent>[ ]?%|[ ]?(?i:{PERCENT})(?!\w))?"
    rf"(?P<scale>[ ]?(?i:{SCALE})|[kKmMbBT](?![A-Za-z/^²³]))?",
)
SIGN_BEFORE_FRACTION = re.compile(r"-[ ]?$")
DIGIT = re.compile(r"[\dπ√]")
LARGE_EXPONENT = re.compile(r"[eE][-+]?[\d_]{3}")
"""An exponent of three digits or more: a fraction with 1e999999999 takes minutes and gigabytes."""

AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
"""Either a thousands separator or a decimal separator."""

AMBIGUOUS_LETTERS = frozenset("kKmMbBT")
"""5 m is five metres or five millions, 300 K a temperature: both are read."""

ROUNDING_TOLERANCE = Fraction(1, 10**9)
"""Relative: the rounding error of a number that is written with ten digits."""


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """A number and its position in a text."""

    value: Fraction
    is_percentage: bool
    start: int
    end: int

    other: Fraction | None = None
    """The value of the number by another convention, if it may follow that: 1.234 may be 1234, and 5m five million."""

    def negated(self) -> ParsedNumber:
        """Return the number with the opposite sign."""
        return ParsedNumber(-self.value, self.is_percentage, self.start, self.end)


def parse_numbers(text: str, *, decimal_comma: bool | None = None) -> list[ParsedNumber]:
    """Return the numbers in digits in a cleaned text, in order.

    `decimal_comma` says whether the text's language writes decimals with a comma; None if that is unknown.
    """
    if not DIGIT.search(text):
        return []
    return [number for match in NUMBER.finditer(text) if (number := _parsed(match, text, decimal_comma=decimal_comma))]


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
    values = (number.value,) if number.other is None else (number.value, number.other)
    if number.is_percentage and not other.is_percentage:
        return (*values, *(value / 100 for value in values))
    return values


def _parsed(match: re.Match[str], text: str, *, decimal_comma: bool | None) -> ParsedNumber | None:
    if _is_glued(match, text):
        return None
    sign = -1 if "-" in match["sign"] else 1
    if (digits := match[0].lstrip("+-")).isdigit() and len(digits) <= MAX_DIGITS:
        return ParsedNumber(Fraction(sign * int(digits)), is_percentage=False, start=match.start(), end=match.end())
    value = _value(match)
    if value is None:
        return None
    other = None
    if match["plain"] or match["grouped"]:
        value, other = _by_convention(match["plain"] or match["grouped"], value, decimal_comma=decimal_comma)
    exponent = match["exponent"] or match["short_exponent"]
    factor = sign * Fraction(10) ** int(exponent) if exponent else sign
    value, other = value * factor, None if other is None else other * factor
    if match["scale"]:
        value, other = _scaled(value, match["scale"])
    return ParsedNumber(value, match["percent"] is not None, match.start(), match.end(), other)


def _is_glued(match: re.Match[str], text: str) -> bool:
    """Tell whether a number is a part of a name, as in H2O, x1 or COVID-19."""
    start = match.start()
    before = text[start - 1 : start] if start else ""
    if match["sign"]:
        return bool(re.match(r"[A-Za-z]", before))
    return bool(
        before == "_"
        or (before.isascii() and before.isalpha())
        or (before == "-" and text[start - 2 : start - 1].isalpha())
    )


def _value(match: re.Match[str]) -> Fraction | None:
    if match["above"] or match["mixed_over"]:
        return _fraction(match)
    if match["root"] or match["pi"]:
        return _irrational(match)
    if match["base"]:
        return _power(int(match["base"]), int(match["raised"]))
    return _decimal(match["grouped"] or match["plain"], is_grouped=match["grouped"] is not None)


def _fraction(match: re.Match[str]) -> Fraction | None:
    numerator = int(match["above"] or match["mixed_over"])
    denominator = int(match["below"] or match["mixed_under"])
    if not denominator:
        return None
    return Fraction(numerator, denominator) + int(match["whole"] or 0)


def _irrational(match: re.Match[str]) -> Fraction:
    factor = Fraction(match["coefficient"] or 1) / (int(match["divisor"] or 1) or 1)
    return factor * (Fraction(math.pi) if match["pi"] else _root(Fraction(match["root"])))


def _root(square: Fraction) -> Fraction:
    exact = Fraction(math.isqrt(square.numerator), math.isqrt(square.denominator) or 1)
    return exact if exact * exact == square else Fraction(math.sqrt(square))


def _power(base: int, exponent: int) -> Fraction | None:
    if abs(exponent) * len(str(base)) > MAX_POWER_DIGITS or (not base and exponent < 0):
        return None
    return Fraction(base) ** exponent


def _decimal(digits: str, *, is_grouped: bool) -> Fraction | None:
    if len(digits) > MAX_DIGITS:
        return None
    if is_grouped:
        has_decimal_comma = digits.rfind(",") > max(map(digits.rfind, ". '_")) >= 0
        if has_decimal_comma or digits.count(".") > 1:
            digits = digits.replace(".", "").replace(",", ".")
        digits = re.sub("[, '_]", "", digits)
    return Fraction(digits.replace(",", "."))


def _by_convention(digits: str, value: Fraction, *, decimal_comma: bool | None) -> tuple[Fraction, Fraction | None]:
    """Return the value of digits that may be grouped or not, and its other meaning if the language is unknown."""
    if digits.startswith(("0,", "0.")):
        return Fraction(digits.replace(",", ".")), None
    if not AMBIGUOUS.fullmatch(digits):
        return value, None
    as_decimal = Fraction(digits.replace(",", "."))
    as_grouped = as_decimal * 1000
    default = as_grouped if "," in digits else as_decimal
    if decimal_comma is None:
        return default, as_decimal if default == as_grouped else as_grouped
    return (as_decimal if ("," in digits) == decimal_comma else as_grouped), None


def _scaled(value: Fraction, scale: str) -> tuple[Fraction, Fraction | None]:
    name = scale.strip()
    if name in AMBIGUOUS_LETTERS:
        return value * DATA["letters"][name], value
    factor = next(factor for pattern, factor in SCALE_WORDS.items() if pattern.fullmatch(name))
    return value * factor, None
