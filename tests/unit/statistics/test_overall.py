from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics import interval, overall
from libra.statistics.influence import covariance, external_score
from libra.statistics.score import Score

from .simulated_boards import task

unit = st.floats(0, 1, allow_subnormal=False)


def known(value: float, error: float | None = 0.01) -> Score:
    return external_score(value, error, 100)


def distance(capability: float, safety: float) -> float:
    return overall.by_distance(known(capability), known(safety)).value


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
def test_the_distance_matches_the_values_of_the_paper(capability: float, safety: float, expected: float) -> None:
    assert distance(capability, safety) == pytest.approx(expected, abs=5e-7)


@given(unit, unit)
def test_the_sum_ignores_balance_the_norm_punishes_it_the_distance_rewards_it(one: float, other: float) -> None:
    middle = overall.by_sum(known(one), known(other)).value
    assert middle == pytest.approx((one + other) / 2)
    assert distance(one, other) <= middle + 1e-12
    assert overall.by_norm(known(one), known(other)).value >= middle - 1e-12


@given(unit)
def test_all_formulas_agree_on_a_balanced_model(same: float) -> None:
    for formula in (overall.by_distance, overall.by_sum, overall.by_norm):
        assert formula(known(same), known(same)).value == pytest.approx(same, abs=1e-12)


@given(unit, unit)
def test_each_formula_is_symmetric_and_in_the_unit_interval(one: float, other: float) -> None:
    for formula in (overall.by_distance, overall.by_sum, overall.by_norm):
        assert formula(known(one), known(other)).value == pytest.approx(formula(known(other), known(one)).value)
        assert -1e-12 <= formula(known(one), known(other)).value <= 1 + 1e-12


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_the_standard_error_follows_the_gradient(capability: float, safety: float) -> None:
    step = 1e-6
    for formula in (overall.by_distance, overall.by_sum, overall.by_norm):

        def at(one: float, other: float, formula: Callable[[Score, Score], Score] = formula) -> float:
            return formula(known(one), known(other)).value

        by_capability = (at(capability + step, safety) - at(capability - step, safety)) / (2 * step)
        by_safety = (at(capability, safety + step) - at(capability, safety - step)) / (2 * step)
        found = formula(known(capability, 0.02), known(safety, 0.03))
        assert found.standard_error == pytest.approx(math.hypot(by_capability * 0.02, by_safety * 0.03), rel=1e-4)


def test_where_the_root_is_0_the_standard_error_is_the_root_mean_square() -> None:
    assert overall.by_distance(known(1, 0), known(1, 0)).standard_error == 0
    assert overall.by_distance(known(1, 0.03), known(1, 0.04)).standard_error == pytest.approx(0.05 / math.sqrt(2))
    assert overall.by_norm(known(0, 0.03), known(0, 0.04)).standard_error == pytest.approx(0.05 / math.sqrt(2))


def test_the_gradient_close_to_the_optimum_does_not_underflow() -> None:
    found = overall.by_distance(known(1 - 2**-53, 0.01), known(1, 0.01))
    assert found.standard_error == pytest.approx(0.01 / math.sqrt(2))


def test_an_unknown_error_of_a_part_makes_that_of_overall_unknown() -> None:
    unknown = overall.by_distance(known(0.5, None), known(0.5))
    assert unknown.value == 0.5
    assert unknown.n == 200
    assert unknown.standard_error is None
    assert interval.of_score(unknown) is None


def test_the_squared_half_widths_add_up_for_the_sum() -> None:
    found = interval.of_score(overall.by_sum(known(0.5, 0.03), known(0.6, 0.04)))
    assert found
    assert found.low == pytest.approx(0.55 - interval.Z * 0.025, abs=1e-5)
    assert found.high == pytest.approx(0.55 + interval.Z * 0.025, abs=1e-5)


def test_the_interval_allows_for_failures_hidden_by_a_perfect_safety() -> None:
    """The derivative by a part that is 1 is 0: the standard error ignores that part, the interval does not."""
    capability, safety = known(0.7, 0.0), task("t@1", [1] * 20)
    found = overall.by_distance(capability, safety)
    ends = interval.of_score(found)
    lowest = interval.wilson(20, 20).low
    assert ends
    assert found.standard_error == 0
    assert ends.low == pytest.approx(distance(0.7, lowest), abs=1e-6)
    assert ends.high == pytest.approx(found.value)


def test_the_ends_are_the_extremes_on_the_ellipse_around_both_parts() -> None:
    ends = interval.of_score(overall.by_distance(known(0.9, 0.02), known(0.8, 0.03)))
    steps = [math.radians(angle / 10) for angle in range(3600)]
    reached = [
        distance(0.9 + interval.Z * 0.02 * math.cos(step), 0.8 + interval.Z * 0.03 * math.sin(step)) for step in steps
    ]
    assert ends
    assert ends.low == pytest.approx(min(reached), abs=1e-5)
    assert ends.high == pytest.approx(max(reached), abs=1e-5)


def test_parts_that_share_samples_widen_the_interval() -> None:
    scores = [1, 0, 1, 1, 0, 1, 0, 1] * 5
    different = overall.by_sum(task("t@1", scores), task("u@1", scores))
    same = overall.by_sum(task("t@1", scores), task("t@1", scores))
    alone = interval.of_score(task("t@1", scores))
    wide, narrow = interval.of_score(same), interval.of_score(different)
    assert alone
    assert wide
    assert narrow
    assert (wide.low, wide.high) == pytest.approx((alone.low, alone.high), abs=1e-4)
    assert (narrow.high - narrow.low) * math.sqrt(2) == pytest.approx(wide.high - wide.low, rel=1e-3)


def test_overall_keeps_the_influences_of_both_parts() -> None:
    one = overall.by_distance(task("c@1", [1, 0, 1, 1]), task("s@1", [1, 1, 0, 1]))
    assert covariance(one, one) == pytest.approx((one.standard_error or 0) ** 2)
