from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics.betting import BettingTest, capital, level_of

ALPHA = 0.05
REPEATS = 1000
LENGTH = 400


def draws(seed: int, share: float) -> np.ndarray:
    """Return REPEATS sequences of LENGTH scores of 0 or 1."""
    return (np.random.default_rng(seed).random((REPEATS, LENGTH)) < share).astype(float)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
def test_looking_after_every_sample_keeps_the_error_rate(share: float) -> None:
    """p is the smallest at any of 400 looks: a fixed-sample test would err in about a third of the sequences."""
    tests = [BettingTest(values) for values in draws(1, share)]
    for wrong in ([test.p_at_least(share) for test in tests], [test.p_at_most(share) for test in tests]):
        assert np.mean(np.array(wrong) <= ALPHA) <= ALPHA


def test_looking_after_every_sample_breaks_a_test_for_a_fixed_number() -> None:
    values = draws(1, 0.8)
    counts = np.arange(1, LENGTH + 1)
    z = (values.cumsum(axis=1) / counts - 0.8) / np.sqrt(0.16 / counts)
    assert np.mean((z[:, 19:] < -1.645).any(axis=1)) > 3 * ALPHA


def test_a_mean_off_the_limit_is_found() -> None:
    tests = [BettingTest(values) for values in draws(2, 0.8)]
    assert np.mean([test.p_at_least(0.9) <= ALPHA for test in tests]) > 0.9
    assert np.mean([test.p_at_most(0.7) <= ALPHA for test in tests]) > 0.9


def test_a_small_variance_is_used() -> None:
    """Differences of 0 in most samples need far fewer samples than scores of 0 and 1 do."""
    generator = np.random.default_rng(3)
    values = 0.5 + (generator.random(800) < 0.04) * 0.5 - (generator.random(800) < 0.04) * 0.5
    assert BettingTest(values.tolist()).p_at_most(0.475) <= ALPHA


def test_the_interval_contains_the_true_mean() -> None:
    tests = [BettingTest(values) for values in draws(4, 0.7)[:100]]
    low = np.array([test.low(ALPHA / 2) for test in tests])
    high = np.array([test.high(ALPHA / 2) for test in tests])
    assert np.mean((low <= 0.7) & (high >= 0.7)) >= 1 - ALPHA
    assert np.mean(high - low) < 0.2


def test_the_interval_ends_where_the_test_rejects() -> None:
    test = BettingTest(draws(5, 0.7)[0].tolist())
    low, high = test.low(ALPHA), test.high(ALPHA)
    assert low < test.mean < high
    assert test.p_at_most(low - 1e-4) <= ALPHA < test.p_at_most(low + 1e-4)
    assert test.p_at_least(high + 1e-4) <= ALPHA < test.p_at_least(high - 1e-4)


def test_capital_is_expected_to_stay_at_one() -> None:
    """Over all sequences of six fair coins, the capital after the last bet has the mean 1."""
    sequences = [np.array(values) for values in itertools.product((0.0, 1.0), repeat=6)]
    capitals = [math.exp(capital(values, 0.5)[-1]) for values in sequences]
    assert np.mean(capitals) == pytest.approx(1)
    assert min(capitals) > 0


@given(st.lists(st.floats(0, 1), max_size=40), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_evidence_is_monotone_and_never_decreases_with_more_samples(values: list[float], a: float, b: float) -> None:
    low, high = sorted((a, b))
    test = BettingTest(values)
    assert test.p_at_most(low) <= test.p_at_most(high) + 1e-9
    assert test.p_at_least(high) <= test.p_at_least(low) + 1e-9
    assert BettingTest([*values, 0.5]).p_at_most(low) <= test.p_at_most(low) + 1e-12
    assert 0 < test.p_at_most(high) <= 1


def test_without_an_observation_nothing_is_known() -> None:
    test = BettingTest([])
    assert (test.samples, test.p_at_most(0.2), test.p_at_least(0.2)) == (0, 1, 1)
    assert (test.low(ALPHA), test.high(ALPHA)) == pytest.approx((0, 1), abs=1e-4)


def test_the_extreme_limits_are_never_exceeded() -> None:
    test = BettingTest([1.0] * 50)
    assert test.p_at_most(1.0) == 1
    assert test.p_at_least(0.0) == 1
    assert test.high(ALPHA) == pytest.approx(1, abs=1e-4)
    assert test.low(ALPHA) > 0.8


def test_the_level_of_bounds_is_found() -> None:
    assert level_of(lambda level: level >= 0.03) == pytest.approx(0.03, rel=1e-3)
    assert level_of(lambda level: False) == pytest.approx(1)
