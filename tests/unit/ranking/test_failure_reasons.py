"""Reasons of failures: which are the same, and that a group's reason finds exactly its members."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.ranking.verdicts.failure_reasons import normalize_reason, reason_pattern


@pytest.mark.parametrize(
    ("reason", "normal"),
    [
        ("HTTP 429 after 31.2 s", "HTTP 429 after … s"),
        ("no answer from http://host:80/x within 3 attempts", "no answer from … within … attempts"),
        ('it said "one 1" and "two"', 'it said "…" and "…"'),
        ("connection refused", "connection refused"),
        ("", ""),
        ("  many\n\nspaces ", "many spaces"),
    ],
)
def test_what_differs_from_trial_to_trial_is_left_out(reason: str, normal: str) -> None:
    assert normalize_reason(reason) == normal


def test_a_long_reason_is_cut() -> None:
    reason = " ".join(["word"] * 50)
    normal = normalize_reason(reason)
    assert normal == " ".join(["word"] * 40) + " […]"
    assert reason_pattern(normal).match(reason)
    assert not reason_pattern(normal).match(" ".join(["word"] * 39))


@given(st.text(alphabet='ab1 "…\n$.*[(\\é/:', max_size=80))
def test_the_normal_form_finds_its_reason(reason: str) -> None:
    normal = normalize_reason(reason)
    assert reason_pattern(normal).match(reason)


def test_a_reason_of_many_gaps_is_matched_fast() -> None:
    pattern = reason_pattern(" ".join(["…"] * 40 + ["end"]))
    started = time.process_time()
    assert not pattern.match(" ".join(["a1"] * 20_000))
    assert time.process_time() - started < 0.5
