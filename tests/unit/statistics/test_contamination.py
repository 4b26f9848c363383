from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics import interval
from libra.statistics.contamination import SampleMean, compare_means, mean_gap, wilson


@pytest.mark.parametrize(
    ("a", "m", "b", "n", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_the_interval_is_the_one_that_newcombe_publishes(
    a: int, m: int, b: int, n: int, low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17, table II, method 10."""
    gap = compare_means(SampleMean(a / m, m), SampleMean(b / n, n), 1)
    assert (gap.interval.low, gap.interval.high) == pytest.approx((low, high), abs=6e-5)


@given(st.integers(1, 200), st.data())
def test_the_intervals_of_means_are_those_of_boards(n: int, data: st.DataObject) -> None:
    share = data.draw(st.integers(0, n)) / n
    ours, boards = wilson(SampleMean(share, n), 0.05), interval.wilson(share * n, n)
    assert (ours.low, ours.high) == pytest.approx((boards.low, boards.high))


def test_more_gaps_make_the_simultaneous_interval_wider_and_leave_the_other() -> None:
    one = compare_means(SampleMean(0.9, 40), SampleMean(0.7, 40), 1)
    twenty = compare_means(SampleMean(0.9, 40), SampleMean(0.7, 40), 20)
    assert one.interval == one.simultaneous == twenty.interval
    assert twenty.simultaneous.low < one.simultaneous.low
    assert (one.is_flagged, twenty.is_flagged) == (True, False)


def test_two_samples_that_differ_are_no_proof() -> None:
    assert not compare_means(SampleMean(1.0, 1), SampleMean(0.0, 1), 1).is_flagged


def test_the_mean_of_equal_gaps_is_more_certain_than_each() -> None:
    gap = compare_means(SampleMean(0.8, 30), SampleMean(0.6, 30), 4)
    mean = mean_gap([gap] * 4)
    assert mean.value == pytest.approx(gap.value)
    assert mean.interval.high - mean.value == pytest.approx((gap.interval.high - gap.value) / 2)
    assert mean.simultaneous.low > gap.simultaneous.low


@pytest.mark.parametrize("binary", [True, False])
def test_models_without_a_gap_are_flagged_in_at_most_5_percent_of_reports(*, binary: bool) -> None:
    """2,000 reports of 6 gaps, each over 40 published and 30 fresh samples of the same difficulty."""
    generator, flagged, reports = np.random.default_rng(7), 0, 2_000
    for _ in range(reports):
        for level in (0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
            released, fresh = (
                generator.binomial(1, level, n) if binary else generator.beta(4 * level, 4 * (1 - level), n)
                for n in (40, 30)
            )
            gap = compare_means(SampleMean(float(released.mean()), 40), SampleMean(float(fresh.mean()), 30), 6)
            if gap.is_flagged:
                flagged += 1
                break
    assert flagged / reports <= 0.05
