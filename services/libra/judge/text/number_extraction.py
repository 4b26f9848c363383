"""Find the number that an answer gives, among all those it mentions."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from libra.judge.text.number_parsing import Number, in_words, numbers, shaped

Read = Callable[[str], list[Number]]

BOXED = re.compile(r"\\boxed\{([^{}]{1,80}(?:\{[^{}]{0,40}\}[^{}]{0,40}){0,3})\}")
ANSWER_IS = re.compile(
    r"(?:\b(?:answer|result|total|solution|value|sum|product|difference)\b(?:\*\*|__)?(?: \w+){0,4}? ?(?:is|are|was|equals|=|:)(?: equal to)?"
    r"|\b(?:gives|equals|equal to|comes to|amounts to|makes)\b|####|∴|therefore,?)"
    r"[:\s*_`$\\(\[]{0,8}(?:(?:about|approximately|exactly|roughly|therefore|only|just|simply|text|therefore:)[\s{*]{1,3}){0,2}",
    re.IGNORECASE,
)
FINAL_IS = re.compile(
    r"\bfinal answer\b[^\n\d]{0,40}|####\s{0,3}|\banswer(?:\*\*)?\s?:[\s*_`$]{0,6}|\bthe answer is[:\s*_`$]{0,6}",
    re.IGNORECASE,
)

LIST_MARK = re.compile(r"^[ \t*#]{0,6}(?:step )?\d{1,3}[.):](?=\s|$)", re.MULTILINE | re.IGNORECASE)
FOLLOWS = re.compile(r"[^\n\d.;]{0,24}")
"""Between "the answer is" and its number may stand a few words."""

TAIL_CHARACTERS = 8_000
"""The number that counts is at the end, or where the answer is short."""


def given(text: str) -> Number | None:
    """Return the number that a text gives as its answer; None if it mentions no number.

    It is what is boxed; else what follows the last "the answer is"; else what follows the last "=" of the last line that has
    a number; else the last number. Numbers in words count where there are none in digits.
    """
    text = shaped(text[-TAIL_CHARACTERS:])
    boxed = BOXED.findall(text)
    if boxed and (inside := numbers(boxed[-1])):
        return inside[-1]
    for read in (numbers, in_words):
        stated = _after_last(FINAL_IS, text, read) or _after_last(ANSWER_IS, text, read) or _at_end(text, read)
        if stated is not None:
            return stated
    return None


def _at_end(text: str, read: Read) -> Number | None:
    """Return the number of the last line that has one; the mark of a list counts only if there is no other."""
    for lines in (LIST_MARK.sub("", text).splitlines(), text.splitlines()):
        for line in reversed(lines):
            if found := read(line):
                return _of_line(line, found)
    return None


def _after_last(pattern: re.Pattern[str], text: str, read: Read) -> Number | None:
    """Return the number that follows the last match which is followed by one."""
    for found in reversed(list(pattern.finditer(text))):
        rest = text[found.end() : found.end() + 200]
        near = read(rest)
        if near and FOLLOWS.fullmatch(rest, 0, near[0].start):
            return _past_equals(rest, near)
    return None


def _past_equals(rest: str, near: list[Number]) -> Number:
    """Return the last number of a chain of calculations that begins the text: of "3 + 4 = 7 apples", 7."""
    line_end = rest.find("\n") if "\n" in rest else len(rest)
    chain = near[0]
    for one, after in pairwise(near):
        between = rest[one.end : after.start].strip(" $\\()*")
        if after.start > line_end or between not in {
            "+",
            "-",
            "*",
            "x",
            "×",
            "/",
            "÷",
            "=",
            "^",
            "times",
            "plus",
            "minus",
        }:
            break
        chain = after if between == "=" else chain
    return chain


def _of_line(line: str, found: list[Number]) -> Number:
    equals = line.rfind("=")
    behind = [number for number in found if number.start > equals] if equals >= 0 else []
    return behind[0] if behind else found[-1]
