"""Find the numbers that stand beside another: alternatives, intervals and several solutions."""

from __future__ import annotations

import re
from fractions import Fraction

from libra.judge.answers.numbers.parsing import ParsedNumber, numbers_agree
from libra.judge.answers.wording import compile_words, fold, load_words, phrases

DATA = load_words("numbers.yaml")
UNIT = r"[ ]?(?:[^\W\d_]{1,12}[ ]?){0,2}[°%²³/]{0,2}[\w]{0,3}"
EQUALS = r"(?:(?:maybe|possibly|perhaps|even|also|about)[ ])?(?:[a-z][ ]?[=≈][ ]?)?"
OR = re.compile(rf"{UNIT},?[ ]?(?<![^\W_])(?:{DATA['or']})(?![^\W_])[ ]?{EQUALS}", re.IGNORECASE)
AND = re.compile(rf"[ ]?,?[ ]?(?<![^\W_])(?:{DATA['and']})(?![^\W_])[ ]?{EQUALS}", re.IGNORECASE)
RANGE = re.compile(rf"{UNIT}[ ]?(?:[-~]|(?<![^\W_])(?:{DATA['to']})(?![^\W_]))[ ]?", re.IGNORECASE)
COMMA = re.compile(rf"[ ]?[,;][ ]?{EQUALS}", re.IGNORECASE)
LIST_END = re.compile(r"[\s.)\]}]*$|\s?[,;]?\s?(?:or|and|und|oder|y|o|et|ou|и|или)\b|[,;\]})]")
BETWEEN = re.compile(
    r"(?<!\w)(?:between|zwischen|entre|tra|fra|tussen|между|між|między|بين|בין)\W{0,3}$|介于$", re.IGNORECASE
)
CHANGES = compile_words(phrases(DATA["changes"]))


MAX_CHAIN = 12
"""The most numbers on each side that are looked at."""


def coordinated(text: str, numbers: list[ParsedNumber], place: int) -> tuple[ParsedNumber, ...]:
    """Return a number with all numbers that it is coordinated with, each value once: both of "5 or 7" and of "±3"."""
    first = last = place
    while first > max(0, place - MAX_CHAIN) and _is_linked(text, numbers, first - 1):
        first -= 1
    while last + 1 < min(len(numbers), place + MAX_CHAIN) and _is_linked(text, numbers, last):
        last += 1
    chain = numbers[first : last + 1]
    before = text[: numbers[first].start].rstrip(" (")
    if before.endswith("±"):
        return (chain[0], chain[0].negated()) if not re.search(r"\d\s*±$", before) else (numbers[max(0, first - 1)],)
    distinct: list[ParsedNumber] = []
    for one in chain:
        if not any(numbers_agree(one, other, Fraction(0)) for other in distinct):
            distinct.append(one)
    return (numbers[place],) if len(distinct) == 1 else tuple(distinct)


def _is_linked(text: str, numbers: list[ParsedNumber], place: int) -> bool:
    """Tell whether a number and the next one are alternatives, the ends of an interval, or parts of a list."""
    one, after = numbers[place], numbers[place + 1]
    between = text[one.end : after.start]
    before = text[max(0, one.start - 24) : one.start]
    if OR.fullmatch(between):
        return True
    if RANGE.fullmatch(between) and not CHANGES.search(fold(text[: one.start])):
        return True
    if AND.fullmatch(between) and (BETWEEN.search(before) or LIST_END.match(text, after.end)):
        return True
    return (
        COMMA.fullmatch(between) is not None
        and LIST_END.match(text, after.end) is not None
        and "=" not in between.replace("x =", "").replace("x=", "")
    )
