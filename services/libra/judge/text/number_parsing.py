"""Read numbers as people write them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from libra.judge.text.normalize import one_form

LONGEST_DIGITS = 60
"""A number of more digits is none that anybody asked for."""

GROUPED = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?: \d{3})+(?![\d,])(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}(?!\d)(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+"
NUMBER = re.compile(
    r"\\[dt]?frac\{(?P<over>-?\d{1,60})\}\{(?P<under>\d{1,60})\}"
    r"|(?P<sign>(?<![\w)\]%])[-+](?=[\d.$€£¥])[$€£¥]?|[$€£¥] ?-|)(?<![\d.])(?:"
    r"(?P<whole>\d{1,12})[ -](?P<mixed_over>\d{1,6}) ?[/⁄] ?(?P<mixed_under>\d{1,6})"
    r"|(?P<above>\d{1,60}) ?[/⁄] ?(?P<below>\d{1,60})(?![/\d])"
    rf"|(?P<grouped>{GROUPED})"
    r"|(?P<plain>\d+(?:[.,]\d+)?|\.\d+)"
    r")(?P<power> ?(?:x|×|\*|\\times|·) ?10(?:\^|\*\*)\{?(?P<exponent>-?\d{1,3})\}?|[eE](?P<short_exponent>[-+]?\d{1,3})(?!\w))?"
    r"(?P<percent> ?\\?%| percent\b| per cent\b)?"
    r"(?P<scale> (?:hundred|thousand|million|billion|trillion)\b)?"
)

DIGIT = re.compile(r"\d")

SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12}

UNITS = {
    word: value
    for value, word in enumerate(
        re.findall(
            r"\w+",
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen",
        )
    )
}
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
IN_WORDS = re.compile(
    rf"\b(minus |negative )?(?:({'|'.join(TENS)})(?:[- ]({'|'.join(list(UNITS)[1:10])}))?|({'|'.join(UNITS)}))( hundred| thousand| million)?\b"
)

BARE_TOLERANCE = Fraction(1, 10**9)
"""Relative: what is lost when a number is written with ten digits."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text."""

    value: Fraction
    percent: bool
    start: int
    end: int


def shaped(text: str) -> str:
    """Return text with plain digits, signs and fractions, ready to be read. One line stays one line."""
    if text.isascii():
        return text
    plain = "\n".join(one_form(_fractions_apart(line)) for line in text.splitlines())
    return "".join(_digit(character) for character in plain)


def numbers(text: str) -> list[Number]:
    """Return the numbers written in digits in shaped text, in their order."""
    if not DIGIT.search(text):
        return []
    return [number for match in NUMBER.finditer(text) if (number := _read(match))]


def in_words(text: str) -> list[Number]:
    """Return the numbers written in English words in shaped text, in their order; it reads those below a thousand thousands."""
    return [_in_words(match) for match in IN_WORDS.finditer(text.casefold())]


def only(text: str) -> Number | None:
    """Return the number that a text is, whatever unit stands with it; None if it holds none or several."""
    plain = shaped(text)
    found = numbers(plain) or in_words(plain)
    return found[0] if len(found) == 1 else None


def same(given: Number, wanted: Number, tolerance: Fraction) -> bool:
    """Tell whether two numbers agree within an absolute tolerance. A percentage may be meant as such or as its hundredth."""
    return any(
        abs(one - other) <= max(tolerance, BARE_TOLERANCE * abs(other))
        for one in _meanings(given, wanted)
        for other in _meanings(wanted, given)
    )


def tolerance(told: str, wanted: Fraction) -> Fraction:
    """Return an absolute tolerance from "0.01" or, of the number wanted, "1%". ValueError if it is neither, or negative."""
    relative = told.strip().endswith("%")
    value = Fraction(told.strip().rstrip("%").strip())
    if value < 0:
        raise ValueError(f"{told!r} is negative")
    return abs(wanted) * value / 100 if relative else value


def _meanings(number: Number, other: Number) -> tuple[Fraction, ...]:
    if number.percent and not other.percent:
        return number.value, number.value / 100
    return (number.value,)


def _read(match: re.Match[str]) -> Number | None:
    value = _fraction(match) if match["over"] or match["above"] or match["mixed_over"] else _decimal(match)
    if value is None:
        return None
    if "-" in (match["sign"] or ""):
        value = -value
    exponent = int(match["exponent"] or match["short_exponent"] or 0)
    value *= Fraction(10) ** exponent
    if match["scale"]:
        value *= SCALES[match["scale"].strip()]
    return Number(value, match["percent"] is not None, match.start(), match.end())


def _fraction(match: re.Match[str]) -> Fraction | None:
    above = int(match["over"] or match["above"] or match["mixed_over"])
    below = int(match["under"] or match["below"] or match["mixed_under"])
    if not below:
        return None
    return Fraction(above, below) + int(match["whole"] or 0)


def _decimal(match: re.Match[str]) -> Fraction | None:
    digits = match["grouped"] or match["plain"]
    if len(digits) > LONGEST_DIGITS:
        return None
    if match["grouped"]:
        european = digits.rfind(",") > digits.rfind(".") >= 0 or digits.count(".") > 1
        digits = digits.replace(".", "").replace(",", ".") if european else digits.replace(",", "").replace(" ", "")
    return Fraction(digits.replace(",", "."))


def _in_words(match: re.Match[str]) -> Number:
    minus, tens, unit, small, scale = match.groups()
    value = TENS[tens] + UNITS.get(unit or "zero", 0) if tens else UNITS[small]
    value *= SCALES[scale.strip()] if scale else 1
    return Number(Fraction(-value if minus else value), False, match.start(), match.end())


def _fractions_apart(line: str) -> str:
    """Put a space before "½" and its like, or "3½" would read 31/2."""
    return "".join(f" {one}" if unicodedata.decomposition(one).startswith("<fraction>") else one for one in line)


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None) if not character.isascii() else None
    return character if value is None else str(value)
