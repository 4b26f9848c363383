from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics import interval
from libra.statistics.influence import average, difference, external_score, mean_from_sums, transform
from libra.statistics.score import Interval

from .simulated_boards import task

unit = st.floats(0, 1, allow_subnormal=False)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_wilson_interval_matches_published_values(successes: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, table I."""
    found = interval.wilson(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 20), 0.6791, 1.0)],
)
def test_the_interval_of_a_difference_matches_published_values(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998, "Interval estimation for the difference between independent proportions", table II, method 10."""
    p, q = one[0] / one[1], other[0] / other[1]
    ends, others = interval.wilson(*one), interval.wilson(*other)
    gap = p - q
    assert gap - interval.half_width(p - ends.low, others.high - q, 0) == pytest.approx(low, abs=5e-5)
    assert gap + interval.half_width(ends.high - p, q - others.low, 0) == pytest.approx(high, abs=5e-5)


def test_a_correlation_narrows_a_difference() -> None:
    assert interval.half_width(0.3, 0.4, 0) == pytest.approx(0.5)
    assert interval.half_width(0.3, 0.4, 0.5) == pytest.approx(math.sqrt(0.25 - 0.12))
    assert interval.half_width(0.3, 0.3, 1) == 0


def test_a_normal_interval_is_196_standard_errors_to_each_side_without_limits() -> None:
    found = interval.normal(0.1, 0.1)
    assert found.low == pytest.approx(0.1 - 0.1959964)
    assert found.high == pytest.approx(0.2959964)


@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_a_task_scored_0_or_1_has_the_wilson_interval(scores: list[bool]) -> None:
    """The sample variance s^2 exceeds p (1 - p) by k / (k - 1): at most it is the interval of one sample less."""
    score = task("t@1", scores)
    found, n = interval.of_score(score), len(scores)
    exact, wider = interval.wilson(sum(scores), n), interval.wilson(score.value * (n - 1), n - 1)
    assert found
    assert wider.low - 1e-9 <= found.low <= exact.low + 1e-9
    assert exact.high - 1e-9 <= found.high <= wider.high + 1e-9


@given(st.lists(unit, min_size=2, max_size=40))
def test_an_interval_lies_in_the_range_of_scores_and_contains_its_score(scores: list[float]) -> None:
    score = task("t@1", scores)
    found = interval.of_score(score)
    assert found
    assert 0 <= found.low <= score.value <= found.high <= 1
    assert found.low < found.high


def test_many_graded_scores_have_the_normal_interval() -> None:
    score = task("t@1", [0.4, 0.5, 0.6, 0.5, 0.7, 0.3] * 400)
    found, plain = interval.of_score(score), interval.normal(score.value, score.standard_error or 0)
    assert found
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=1e-3)


def test_a_mean_from_sums_has_the_same_interval() -> None:
    for scores in ([0.4, 0.5, 0.6, 0.5, 0.7, 0.3] * 20, [1, 1, 1, 0] * 10, [1] * 20):
        alone = mean_from_sums(len(scores), math.fsum(scores), math.fsum(score * score for score in scores))
        assert alone
        found, expected = interval.of_score(alone), interval.of_score(task("t@1", scores))
        assert found
        assert expected
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=2e-3)


def test_equal_scores_have_an_interval_with_the_width_for_their_number() -> None:
    for value in (1.0, 0.9, 0.0):
        found, expected = interval.of_score(task("t@1", [value] * 20)), interval.wilson(20 * value, 20)
        assert found
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    ten = interval.of_score(average([task(f"{number}@1", [1] * 20) for number in range(10)]))
    assert ten
    assert ten.low == pytest.approx(interval.wilson(200, 200).low)
    # Ten attacks on the same twenty samples count as twenty samples.
    attacked = interval.of_score(average([task("t@1", [1] * 20) for _ in range(10)]))
    assert attacked
    assert attacked.low == pytest.approx(interval.wilson(20, 20).low)


def test_an_error_that_comes_from_no_sample_gives_a_normal_interval() -> None:
    found = interval.of_score(external_score(0.5, 0.1))
    assert found == interval.normal(0.5, 0.1)
    assert interval.of_score(external_score(0.95, 0.1)) == Interval(interval.normal(0.95, 0.1).low, 1.0)
    assert interval.of_mean(0.5, 0.1, 0) == interval.normal(0.5, 0.1)


def test_the_squares_of_both_kinds_of_error_add_up() -> None:
    score = task("t@1", [1, 0] * 50)
    alone = interval.of_score(score)
    noisy = interval.of_score(transform(0.5, [(score, 1.0), (external_score(0.0, 0.1), 1.0)]))
    assert alone
    assert noisy
    assert 0.5 - noisy.low == pytest.approx(math.hypot(0.5 - alone.low, 0.1959964))
    assert noisy.high - 0.5 == pytest.approx(math.hypot(alone.high - 0.5, 0.1959964))


def test_a_mean_with_known_error_and_number_has_the_wilson_interval() -> None:
    assert interval.of_mean(1.0, 0.0, 20) == interval.wilson(20, 20)
    p, n = 0.9, 50
    found = interval.of_mean(p, math.sqrt(p * (1 - p) / n), n)
    assert found.low == pytest.approx(interval.wilson(45, 50).low)
    assert found.high == pytest.approx(interval.wilson(45, 50).high)


def test_a_score_with_unknown_error_has_no_interval() -> None:
    unsure, sure = task("t@1", [1]), task("u@1", [1, 0])
    assert interval.of_score(unsure) is None
    assert interval.of_difference(unsure, sure) is None
    assert interval.of_difference(sure, unsure) is None


def test_a_difference_may_lie_on_either_side_of_zero() -> None:
    low, high = task("t@1", [1, 0] * 20), task("t@1", [1, 0, 1, 1] * 10)
    found = interval.of_difference(low, high)
    assert found
    assert found.low < -0.25 < found.high < 0
    assert interval.of_score(difference(low, high)) == interval.normal(-0.25, difference(low, high).standard_error or 0)


def test_shared_samples_narrow_the_interval_of_a_difference() -> None:
    one = task("t@1", [1, 0, 1, 1, 0, 1, 0, 1] * 5)
    same, apart = task("t@1", [1, 0, 1, 1, 0, 1, 0, 0] * 5), task("u@1", [1, 0, 1, 1, 0, 1, 0, 0] * 5)
    paired, unpaired = interval.of_difference(one, same), interval.of_difference(one, apart)
    assert paired
    assert unpaired
    assert paired.high - paired.low < (unpaired.high - unpaired.low) * 0.7


def test_the_correlation_is_the_covariance_over_both_errors() -> None:
    one = task("t@1", [1, 0, 1, 1])
    assert interval.correlation(one, one) == pytest.approx(1)
    assert interval.correlation(one, task("t@1", [0, 1, 0, 0])) == pytest.approx(-1)
    assert interval.correlation(one, task("t@1", [1, 1, 1, 1])) == 0
    assert interval.correlation(task("t@1", [0, 0, 1, 1]), task("t@1", [0, 1, 0, 1])) == pytest.approx(0)
