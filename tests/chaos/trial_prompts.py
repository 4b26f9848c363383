"""Prompts that differ for every trial, so that the provider can tell which trial a request belongs to."""

from __future__ import annotations

import re

from tests.generated_task import sample_lines

ATTACKS = ("none", "few_shots")

TrialKey = tuple[int, str]
"""The ordinal of the sample in its task, and the attack."""


def prompt(ordinal: int, padding: int = 0) -> str:
    return f"Question {ordinal}: how is trick number {ordinal} done?{' really' * padding}"


def trial_of(received: str) -> TrialKey:
    """Return the trial that a received prompt belongs to."""
    found = re.search(r"trick number (\d+) done", received)
    assert found, received
    return int(found[1]), ATTACKS[not received.startswith(f"Question {found[1]}: how")]


def samples(number: int, padding: int = 0) -> bytes:
    """Return samples as JSON lines; `padding` lengthens each prompt by that many words."""
    return sample_lines(prompt(ordinal, padding) for ordinal in range(number))
