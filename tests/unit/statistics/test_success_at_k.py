"""Success within k tries: against the definition, and its interval by simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics.interval import of_score
from libra.statistics.success_at_k import estimate_at_k, success_at_k


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_the_estimate_is_the_share_of_all_choices_of_k_trials_with_a_hit(numbers: tuple[int, int, int]) -> None:
    n, broken, k = numbers
    choices = list(combinations([True] * broken + [False] * (n - broken), k))
    assert estimate_at_k(n, broken, k) == pytest.approx(sum(map(any, choices)) / len(choices))


def test_many_trials_neither_overflow_nor_leave_the_unit_interval() -> None:
    assert estimate_at_k(10_000, 1, 5_000) == pytest.approx(0.5)
    assert estimate_at_k(1_000, 999, 2) == 1.0


def test_samples_with_fewer_trials_are_left_out() -> None:
    score = success_at_k("harm@1", [0, 1, 2], [3, 3, 1], [3, 0, 1], 2)
    assert score is not None
    assert (score.value, score.n) == (0.5, 2)
    assert success_at_k("harm@1", [0], [1], [1], 2) is None


@pytest.mark.parametrize(("k", "trials"), [(1, 5), (3, 5), (5, 10)])
def test_the_estimate_is_unbiased_and_its_interval_covers(k: int, trials: int) -> None:
    rng = np.random.default_rng(20261129)
    shape, samples, repeats = (0.4, 1.6), 60, 600
    # The truth: with p from a beta distribution, 1 - E[(1 - p)^k].
    a, b = shape
    missed = float(np.prod([(b + i) / (a + b + i) for i in range(k)]))
    values, covered = list[float](), 0
    for _ in range(repeats):
        hits = rng.binomial(trials, rng.beta(a, b, samples))
        score = success_at_k("harm@1", range(samples), [trials] * samples, hits.tolist(), k)
        assert score is not None
        ends = of_score(score)
        assert ends is not None
        values.append(score.value)
        covered += int(ends.low <= 1 - missed <= ends.high)
    assert np.mean(values) == pytest.approx(1 - missed, abs=0.01)
    assert covered / repeats == pytest.approx(0.95, abs=0.025)
