from __future__ import annotations

import re

import pytest

from libra.judge.refusal_detection.regex import compile_alternatives, split_alternatives


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        (r"\bone\b|^two|three", [r"\bone\b", "^two", "three"]),
        (r"(?:a|b)|[|]c|\|d", ["(?:a|b)", "[|]c", r"\|d"]),
        ("[)(]x|y", ["[)(]x", "y"]),
        ("", [""]),
    ],
)
def test_a_bar_in_a_group_or_a_set_separates_no_alternatives(pattern: str, parts: list[str]) -> None:
    assert split_alternatives(pattern) == parts


@pytest.mark.parametrize("text", ["one", "bone", "it is two", "two", "three", "thethree", "a one"])
def test_the_compiled_alternatives_find_the_same(text: str) -> None:
    pattern = r"\bone\b|^two|three|\btwo(?= or)"
    found, plainly = compile_alternatives(pattern).search(text), re.search(pattern, text)
    assert (found and found.span()) == (plainly and plainly.span())
