from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from libra.statistics.rank_stability import AnchorScores, compare_rankings, kendall_tau


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=12))
def test_tau_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    one, other = np.array(pairs, dtype=float).T
    expected = stats.kendalltau(one, other).statistic
    if np.isnan(expected):
        assert kendall_tau(one, other) is None
    else:
        assert kendall_tau(one, other) == pytest.approx(expected)


def scores(levels: list[float], anchors: int, generator: np.random.Generator) -> np.ndarray:
    """Independent right and wrong answers of models with these probabilities."""
    return (generator.random((len(levels), anchors)) < np.array(levels)[:, None]).astype(float)


def test_equal_measurements_have_a_tau_of_1_and_no_change() -> None:
    same = scores([0.2, 0.5, 0.8], 40, np.random.default_rng(1))
    found = compare_rankings([AnchorScores(same, same)], seed=1)
    assert found.tau == 1
    assert found.changes == []
    assert found.tau_interval is not None
    assert found.tau_interval.high == 1


def test_a_model_that_got_worse_is_a_real_change_and_noise_is_not() -> None:
    generator = np.random.default_rng(2)
    earlier = [scores([0.30, 0.50, 0.90, 0.52], 60, generator) for _ in range(2)]
    later = [scores([0.30, 0.52, 0.10, 0.50], 60, generator) for _ in range(2)]
    found = compare_rankings([AnchorScores(*both) for both in zip(earlier, later, strict=True)], seed=1)
    real = {(change.down, change.up) for change in found.changes if change.is_real}
    assert real == {(2, 0), (2, 1), (2, 3)}
    assert all(change.interval.low > 0 for change in found.changes if change.is_real)
    assert found.tau is not None
    assert found.tau < 0.5
    assert found.tau_interval is not None
    assert found.tau_interval.low <= found.tau <= found.tau_interval.high


def test_three_anchors_prove_nothing() -> None:
    earlier, later = np.array([[1.0] * 3, [0.0] * 3]), np.array([[0.0] * 3, [1.0] * 3])
    (change,) = compare_rankings([AnchorScores(earlier, later)], seed=1).changes
    assert change.p == 0.25
    assert not change.is_real


def test_models_that_did_not_change_are_called_changed_in_at_most_5_percent_of_reports() -> None:
    """300 comparisons of four equal models, the hardest case: each order is noise."""
    generator, false = np.random.default_rng(3), 0
    for number in range(300):
        both = AnchorScores(scores([0.5] * 4, 30, generator), scores([0.5] * 4, 30, generator))
        false += any(change.is_real for change in compare_rankings([both], seed=number).changes)
    assert false / 300 <= 0.05


def test_the_seed_determines_the_result() -> None:
    generator = np.random.default_rng(4)
    both = AnchorScores(scores([0.4, 0.5, 0.6], 30, generator), scores([0.6, 0.5, 0.4], 30, generator))
    assert compare_rankings([both], seed=5) == compare_rankings([both], seed=5)
