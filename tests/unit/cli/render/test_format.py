from __future__ import annotations

import pytest

from libra.cli.render.format import (
    byte_size,
    dollars,
    duration,
    one_line,
    outcome_counts,
    p_value,
    score_interval,
    score_percent,
    short_count,
    short_duration,
    signed_interval,
    signed_points,
)
from libra.v1.ranking_pb2 import Estimate
from libra.v1.run_pb2 import OutcomeCounts


@pytest.mark.parametrize(("value", "shown"), [(0.032, "+3.2"), (-0.5, "-50.0"), (0.0, "0.0"), (-0.0004, "0.0")])
def test_a_difference_has_its_sign(value: float, shown: str) -> None:
    assert signed_points(value) == shown


def test_an_unknown_interval_is_a_dash() -> None:
    assert signed_interval(Estimate(value=0.1)) == "-"
    assert signed_interval(Estimate(low=-0.25, high=0.5)) == "-25.0 to +50.0"


@pytest.mark.parametrize(
    ("p", "shown"), [(None, "-"), (0.0, "<.001"), (0.00099, "<.001"), (0.001, ".001"), (0.0499, ".050"), (0.9996, "1")]
)
def test_a_p_value_is_short(p: float | None, shown: str) -> None:
    assert p_value(p) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (9_949, "9.9k"), (9_960, "10k"), (999_400, "999k"), (999_600, "1.0M")],
)
def test_a_count_is_short(number: int, shown: str) -> None:
    assert short_count(number) == shown


@pytest.mark.parametrize(("usd", "shown"), [(0, "0"), (0.004, "<0.01"), (0.05, "0.05"), (1234.5, "1,234.50")])
def test_an_amount_is_never_rounded_to_zero(usd: float, shown: str) -> None:
    assert dollars(usd) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0.0s"), (4.24, "4.2s"), (59.4, "59s"), (90, "1.5m"), (3000, "50m"), (12_600, "3.5h")]
)
def test_a_duration_in_a_table_is_short(seconds: float, shown: str) -> None:
    assert short_duration(seconds) == shown


def test_scores_are_short() -> None:
    assert score_percent(None) == "-"
    assert score_percent(Estimate(value=0.9996)) == "100"
    assert score_percent(Estimate(value=0.5)) == "50.0"
    assert score_interval(None) == "-"
    assert score_interval(Estimate(value=0.5)) == "-"
    assert score_interval(Estimate(value=1.0, low=0.9, high=1.0)) == "90.0-100"


def test_a_line_is_cut_at_its_width() -> None:
    assert one_line("a\n b\tc", 10) == "a b c"
    assert one_line("abcdefgh", 5) == "abcd…"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (90_061, "25 h 01 min"),
    ],
)
def test_a_duration_in_a_sentence_has_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sizes_have_units_and_zero_counts_are_left_out() -> None:
    assert [byte_size(number) for number in (12, 2048, 50 << 20, 3 << 30)] == ["12 B", "2 KB", "50 MB", "3 GB"]
    assert outcome_counts(OutcomeCounts(scored=1200, failed=2)) == "1,200 scored, 2 failed"
    assert outcome_counts(OutcomeCounts()) == "none yet"
