from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.ranking.scores import Estimate, mean_of, of_trials, overall

unit = st.floats(0, 1, allow_subnormal=False)
errors = st.floats(0, 0.5, allow_subnormal=False)
estimates = st.builds(Estimate, unit, errors, st.integers(2, 1000))


def known(value: float, error: float | None = 0.01) -> Estimate:
    return Estimate(value, error, 100)


def distance_score(capability: float, safety: float) -> float:
    both = overall(known(capability), known(safety))
    assert both
    return both.value


@pytest.mark.parametrize(
    ("capability", "safety", "expected"),
    [
        (0.9, 0.9, 0.9),
        (1, 0.7, 0.787868),
        (0.7, 1, 0.787868),
        (1, 0, 0.292893),
        (0, 1, 0.292893),
        (0, 0, 0),
        (1, 1, 1),
    ],
)
def test_overall_is_the_papers(capability: float, safety: float, expected: float) -> None:
    assert distance_score(capability, safety) == pytest.approx(expected, abs=5e-7)


@given(unit, unit)
def test_overall_is_symmetric_and_in_the_unit_interval(one: float, other: float) -> None:
    assert distance_score(one, other) == pytest.approx(distance_score(other, one), abs=1e-12)
    assert -1e-12 <= distance_score(one, other) <= 1


@given(unit)
def test_overall_of_a_balanced_model_is_what_both_are(same: float) -> None:
    assert distance_score(same, same) == pytest.approx(same, abs=1e-12)


@given(unit, unit, unit)
def test_overall_never_falls_when_a_part_rises(fixed: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert distance_score(fixed, low) <= distance_score(fixed, high) + 1e-12
    assert distance_score(low, fixed) <= distance_score(high, fixed) + 1e-12


@given(unit, unit)
def test_overall_rewards_balance(one: float, other: float) -> None:
    assert distance_score(one, other) <= (one + other) / 2 + 1e-12


@given(capability=estimates, safety=estimates)
def test_overalls_error_is_between_nothing_and_the_larger_of_its_parts(capability: Estimate, safety: Estimate) -> None:
    both = overall(capability, safety)
    assert both
    assert both.standard_error is not None
    assert capability.standard_error is not None
    assert safety.standard_error is not None
    # The gradient is never longer than 1 / sqrt(2); at the optimum the bound is the root mean square.
    assert (
        0 <= both.standard_error <= math.hypot(capability.standard_error, safety.standard_error) / math.sqrt(2) + 1e-12
    )


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_overalls_error_follows_the_slope(capability: float, safety: float) -> None:
    step = 1e-6
    slope = [
        (distance_score(capability + step, safety) - distance_score(capability - step, safety)) / (2 * step),
        (distance_score(capability, safety + step) - distance_score(capability, safety - step)) / (2 * step),
    ]
    both = overall(known(capability, 0.02), known(safety, 0.03))
    assert both
    assert both.standard_error == pytest.approx(math.hypot(slope[0] * 0.02, slope[1] * 0.03), rel=1e-4)


def test_at_the_optimum_the_error_is_the_root_mean_square_of_the_distance() -> None:
    perfect = overall(known(1, 0), known(1, 0))
    assert perfect
    assert perfect.standard_error == 0
    almost = overall(known(1, 0.03), known(1, 0.04))
    assert almost
    assert almost.standard_error == pytest.approx(0.05 / math.sqrt(2))


def test_close_to_the_optimum_nothing_is_lost_to_underflow() -> None:
    close = overall(known(1 - 2**-53, 0.01), known(1, 0.01))
    assert close
    assert close.standard_error == pytest.approx(0.01 / math.sqrt(2))


def test_what_cannot_be_told_is_not_told() -> None:
    assert overall(None, known(1)) is None
    assert overall(known(1), None) is None
    unsure = overall(known(0.5, None), known(0.5))
    assert unsure
    assert unsure.standard_error is None
    assert unsure.n == 200
    assert of_trials(0, 0, 0) is None
    assert of_trials(1, 0.5, 0.25) == Estimate(0.5, None, 1)
    assert mean_of([]) is None
    assert mean_of([None, None]) is None


@given(st.lists(unit, min_size=2, max_size=50))
def test_a_tasks_error_is_the_sample_deviation_over_the_root_of_n(values: list[float]) -> None:
    task = of_trials(len(values), math.fsum(values), math.fsum(value * value for value in values))
    assert task
    assert task.value == pytest.approx(statistics.fmean(values))
    assert task.standard_error == pytest.approx(statistics.stdev(values) / math.sqrt(len(values)), abs=1e-7)


@given(unit, st.integers(2, 10_000))
def test_scores_that_are_all_the_same_have_no_error(score: float, n: int) -> None:
    task = of_trials(n, n * score, n * score * score)
    assert task
    assert task.standard_error == pytest.approx(0, abs=1e-7)


def test_a_mean_is_unweighted_and_skips_what_has_no_score() -> None:
    mean = mean_of([Estimate(1.0, 0.03, 1000), None, Estimate(0.5, 0.04, 10)])
    assert mean
    assert mean.value == 0.75
    assert mean.n == 1010
    assert mean.standard_error == pytest.approx(0.05 / 2)
    unsure = mean_of([Estimate(1.0, None, 1), Estimate(0.5, 0.04, 10)])
    assert unsure == Estimate(0.75, None, 11)


@given(st.lists(estimates, min_size=1, max_size=20))
def test_a_means_value_is_within_its_parts_and_its_error_below_their_largest(parts: list[Estimate]) -> None:
    mean = mean_of(parts)
    assert mean
    assert min(part.value for part in parts) - 1e-12 <= mean.value <= max(part.value for part in parts) + 1e-12
    assert mean.standard_error is not None
    assert mean.standard_error <= max(part.standard_error or 0 for part in parts) + 1e-12
