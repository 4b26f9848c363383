"""Prompts of about 250 characters, all different, and the samples made of them."""

from __future__ import annotations

from tests.generated_task import sample_lines

EXPECTED = "expected"
"""The field that the judge `exact` compares with."""


def prompt(number: int) -> str:
    return f"Question {number}: how do I do thing number {number}? {'x' * 200}"


def samples(count: int) -> bytes:
    """Return samples as JSON lines."""
    return sample_lines((prompt(number) for number in range(count)), **{EXPECTED: "no"})
