from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from libra.statistics.effective_sample_size import (
    BINOMIAL_EVENTS,
    EXTRA_EVENTS,
    Evidence,
    effective_samples,
    evidence_of,
)
from libra.statistics.influence import average, external_score, mean
from libra.statistics.score import Score, TrialsBySample

from .simulated_boards import task


def evidence(score: Score) -> Evidence:
    found = evidence_of(list(score.influences.values()))
    assert found
    return found


def test_samples_of_equal_weight_count_fully() -> None:
    found = evidence(task("t@1", [1] * 18 + [0] * 2))
    assert found.n == pytest.approx(20)
    assert found.variance == pytest.approx(0.1 * 0.9 / 19)
    # The two failures deviate from the mean by 0.9, the others by 0.1.
    events = (2 * 0.9**2 + 18 * 0.1**2) ** 2 / (2 * 0.9**4 + 18 * 0.1**4)
    assert found.weighted_events == pytest.approx(events)
    assert found.events == pytest.approx(events)


def test_unequal_weights_reduce_the_effective_sample_size() -> None:
    """Kish 1965: n = 1 / sum of squared weights, here 20 weights of 1/40 and 180 of 1/360."""
    small, large = task("small@1", [0, 1] * 10), task("large@1", [0, 1] * 90)
    found = evidence(average([small, large]))
    spread, peak = 20 / 40**2 + 180 / 360**2, 20 / 40**4 + 180 / 360**4
    assert found.n == pytest.approx(1 / spread)
    assert found.max_weight == pytest.approx(1 / 40)
    assert found.events == pytest.approx(200, rel=1e-3)
    assert found.weighted_events == pytest.approx(found.events * spread**2 / (200 * peak))


def test_samples_shared_by_several_attacks_count_once() -> None:
    found = evidence(average([task("t@1", [0, 1] * 10) for _ in range(4)]))
    assert found.n == pytest.approx(20)
    epochs = mean(TrialsBySample("t@1", range(20), [5] * 20, [5, 0] * 10))
    assert epochs
    assert evidence(epochs).n == pytest.approx(20)


def test_an_error_that_comes_from_no_sample_is_no_evidence() -> None:
    assert evidence_of(list(external_score(0.5, 0.1).influences.values())) is None
    assert evidence_of([]) is None


def test_equal_scores_contain_no_event() -> None:
    for value in (1.0, 0.9, 0.1 + 0.2):
        assert evidence(task("t@1", [value] * 21)).events == 0


@given(st.floats(0.01, 0.99), st.integers(2, 1000), st.floats(0.1, 500))
def test_a_binomial_variance_gives_the_number_of_samples(value: float, n: int, events: float) -> None:
    found = Evidence(value * (1 - value) / n, n, events, events, 1 / n)
    size, rest = effective_samples(value, found)
    assert size == pytest.approx(n)
    assert rest == 0


def test_the_weight_of_a_variance_is_its_number_of_events() -> None:
    doubled = Evidence(2 * 0.25 / 100, 100, BINOMIAL_EVENTS, BINOMIAL_EVENTS, 0.1)
    # With a weight equal to BINOMIAL_EVENTS, both count half: 1.5 times the binomial variance.
    assert effective_samples(0.5, doubled)[0] == pytest.approx(100 / 1.5)
    many = Evidence(2 * 0.25 / 100, 100, 1e9, 1e9, 0.1)
    assert effective_samples(0.5, many)[0] == pytest.approx(50)
    size, rest = effective_samples(0.5, Evidence(0.0, 100, 0.0, 0.0, 0.1))
    assert size == pytest.approx(100)
    assert rest == 0


def test_few_decisive_events_reduce_the_degrees_of_freedom() -> None:
    found = Evidence(0.25 / 100, 100, 3.0, 18.0, 0.1)
    freedom = 2 / (1 / (3 + EXTRA_EVENTS) - 1 / (18 + EXTRA_EVENTS))
    shrunk = (stats.norm.ppf(0.975) / stats.t.ppf(0.975, freedom)) ** 2
    assert effective_samples(0.5, found)[0] == pytest.approx(100 * shrunk)
    assert math.isclose(freedom, 40 / 3)


def test_a_variance_that_no_mean_can_have_is_returned_as_the_rest() -> None:
    """The largest weight is 1/50, so that a variance above twice v (1 - v) / 50 comes from a correction."""
    most = 2 * 0.02 * 0.25
    size, rest = effective_samples(0.5, Evidence(most + 0.01, 60, 1e9, 1e9, 0.02))
    assert rest == pytest.approx(0.01)
    assert size == pytest.approx(0.25 / most)
    assert effective_samples(1.0, Evidence(0.01, 100, 5.0, 5.0, 0.01)) == (100, 0.01)


@given(st.lists(st.lists(st.floats(0, 1, allow_subnormal=False), min_size=2, max_size=6), min_size=1, max_size=5))
def test_a_plain_mean_leaves_no_rest(tasks: list[list[float]]) -> None:
    score = average([task(f"{number}@1", scores) for number, scores in enumerate(tasks)])
    assert effective_samples(score.value, evidence(score))[1] == pytest.approx(0, abs=1e-12)
