"""Extract the number that an answer gives, among all the numbers that it mentions."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from libra.judge.text.number_parsing import ParsedNumber, normalize_digits, parse_number_words, parse_numbers

NumberParser = Callable[[str], list[ParsedNumber]]

BOXED = re.compile(r"\\boxed\{([^{}]{1,80}(?:\{[^{}]{0,40}\}[^{}]{0,40}){0,3})\}")
ANSWER_IS = re.compile(
    r"(?:\b(?:answer|result|total|solution|value|sum|product|difference)\b(?:\*\*|__)?(?: \w+){0,4}?"
    r" ?(?:is|are|was|equals|=|:)(?: equal to)?"
    r"|\b(?:gives|equals|equal to|comes to|amounts to|makes)\b|####|∴|therefore,?)"
    r"[:\s*_`$\\(\[]{0,8}"
    r"(?:(?:about|approximately|exactly|roughly|therefore|only|just|simply|text|therefore:)[\s{*]{1,3}){0,2}",
    re.IGNORECASE,
)
FINAL_ANSWER_IS = re.compile(
    r"\bfinal answer\b[^\n\d]{0,40}|####\s{0,3}|\banswer(?:\*\*)?\s?:[\s*_`$]{0,6}|\bthe answer is[:\s*_`$]{0,6}",
    re.IGNORECASE,
)

LIST_MARKER = re.compile(r"^[ \t*#]{0,6}(?:step )?\d{1,3}[.):](?=\s|$)", re.MULTILINE | re.IGNORECASE)
FEW_WORDS = re.compile(r"[^\n\d.;]{0,24}")
"""What may stand between "the answer is" and its number."""

OPERATORS = frozenset(["+", "-", "*", "x", "×", "/", "÷", "=", "^", "times", "plus", "minus"])

TAIL_CHARACTERS = 8_000
"""How much of the end of an answer is read: the number of a long answer is at its end."""

AFTER_CHARACTERS = 200
"""How much of the text after "the answer is" is read."""


def final_number(text: str) -> ParsedNumber | None:
    r"""Return the number that a text gives as its answer; None if it has no number.

    It is the number in \boxed{}; else the one after the last "the answer is"; else the one after the last "=" of the
    last line that has a number; else the last number. Numbers in words count only if there is no number in digits.
    """
    text = normalize_digits(text[-TAIL_CHARACTERS:])
    boxed = BOXED.findall(text)
    if boxed and (inside := parse_numbers(boxed[-1])):
        return inside[-1]
    for parse in (parse_numbers, parse_number_words):
        found = (
            _after_last(FINAL_ANSWER_IS, text, parse) or _after_last(ANSWER_IS, text, parse) or _last_line(text, parse)
        )
        if found is not None:
            return found
    return None


def _last_line(text: str, parse: NumberParser) -> ParsedNumber | None:
    """Return the number of the last line that has one. A list marker counts only if there is no other number."""
    for lines in (LIST_MARKER.sub("", text).splitlines(), text.splitlines()):
        for line in reversed(lines):
            if found := parse(line):
                return _result_of_line(line, found)
    return None


def _after_last(pattern: re.Pattern[str], text: str, parse: NumberParser) -> ParsedNumber | None:
    """Return the number after the last match that has one close behind it."""
    for match in reversed(list(pattern.finditer(text))):
        rest = text[match.end() : match.end() + AFTER_CHARACTERS]
        found = parse(rest)
        if found and FEW_WORDS.fullmatch(rest, 0, found[0].start):
            return _result_of_calculation(rest, found)
    return None


def _result_of_calculation(rest: str, found: list[ParsedNumber]) -> ParsedNumber:
    """Return the result of a calculation at the start of a text, as 7 of "3 + 4 = 7 apples"; else the first number."""
    line_end = rest.find("\n") if "\n" in rest else len(rest)
    result = found[0]
    for one, after in pairwise(found):
        between = rest[one.end : after.start].strip(" $\\()*")
        if after.start > line_end or between not in OPERATORS:
            break
        result = after if between == "=" else result
    return result


def _result_of_line(line: str, found: list[ParsedNumber]) -> ParsedNumber:
    equals = line.rfind("=")
    after_equals = [number for number in found if number.start > equals] if equals >= 0 else []
    return after_equals[0] if after_equals else found[-1]
