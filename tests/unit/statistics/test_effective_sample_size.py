from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from libra.statistics.effective_sample_size import BORROWED, TRUST, Evidence, evidence, samples
from libra.statistics.influence import average, external_score, mean
from libra.statistics.score import Score, Section

from .boards import task


def told(score: Score) -> Evidence:
    found = evidence(list(score.blocks.values()))
    assert found
    return found


def test_equal_samples_count_each() -> None:
    found = told(task("t@1", [1] * 18 + [0] * 2))
    assert found.n == pytest.approx(20)
    assert found.variance == pytest.approx(0.1 * 0.9 / 19)
    # The two failures are 0.9 away from the mean, the others 0.1.
    events = (2 * 0.9**2 + 18 * 0.1**2) ** 2 / (2 * 0.9**4 + 18 * 0.1**4)
    assert found.events == pytest.approx(events)
    assert found.seen == pytest.approx(events)


def test_unequal_weights_make_a_score_worth_fewer_samples() -> None:
    """Kish 1965: n = 1 / sum of squared weights, here 20 of 1/40 and 180 of 1/360."""
    small, large = task("small@1", [0, 1] * 10), task("large@1", [0, 1] * 90)
    found = told(average([small, large]))
    spread, peak = 20 / 40**2 + 180 / 360**2, 20 / 40**4 + 180 / 360**4
    assert found.n == pytest.approx(1 / spread)
    assert found.heaviest == pytest.approx(1 / 40)
    assert found.seen == pytest.approx(200, rel=1e-3)
    assert found.events == pytest.approx(found.seen * spread**2 / (200 * peak))


def test_samples_that_attacks_share_are_counted_once() -> None:
    found = told(average([task("t@1", [0, 1] * 10) for _ in range(4)]))
    assert found.n == pytest.approx(20)
    epochs = mean(Section("t@1", range(20), [5] * 20, [5, 0] * 10))
    assert epochs
    assert told(epochs).n == pytest.approx(20)


def test_what_is_no_sample_is_no_evidence() -> None:
    assert evidence(list(external_score(0.5, 0.1).blocks.values())) is None
    assert evidence([]) is None


def test_scores_that_are_all_the_same_show_no_event() -> None:
    for value in (1.0, 0.9, 0.1 + 0.2):
        assert told(task("t@1", [value] * 21)).events == 0


@given(st.floats(0.01, 0.99), st.integers(2, 1000), st.floats(0.1, 500))
def test_a_binomial_variance_is_worth_its_samples(value: float, n: int, events: float) -> None:
    known = Evidence(value * (1 - value) / n, n, events, events, 1 / n)
    worth, left_over = samples(value, known)
    assert worth == pytest.approx(n)
    assert left_over == 0


def test_a_variance_is_trusted_by_its_events() -> None:
    doubled = Evidence(2 * 0.25 / 100, 100, TRUST, TRUST, 0.1)
    # By as many events as TRUST, it counts half: 1.5 times the binomial variance.
    assert samples(0.5, doubled)[0] == pytest.approx(100 / 1.5)
    many = Evidence(2 * 0.25 / 100, 100, 1e9, 1e9, 0.1)
    assert samples(0.5, many)[0] == pytest.approx(50)
    worth, left_over = samples(0.5, Evidence(0.0, 100, 0.0, 0.0, 0.1))
    assert worth == pytest.approx(100)
    assert left_over == 0


def test_few_events_that_decide_cost_degrees_of_freedom() -> None:
    known = Evidence(0.25 / 100, 100, 3.0, 18.0, 0.1)
    freedom = 2 / (1 / (3 + BORROWED) - 1 / (18 + BORROWED))
    shrunk = (stats.norm.ppf(0.975) / stats.t.ppf(0.975, freedom)) ** 2
    assert samples(0.5, known)[0] == pytest.approx(100 * shrunk)
    assert math.isclose(freedom, 40 / 3)


def test_what_no_mean_could_vary_is_left_over() -> None:
    """The heaviest of samples weighs 1/50: more than twice v (1 - v) / 50 comes of a correction."""
    most = 2 * 0.02 * 0.25
    worth, rest = samples(0.5, Evidence(most + 0.01, 60, 1e9, 1e9, 0.02))
    assert rest == pytest.approx(0.01)
    assert worth == pytest.approx(0.25 / most)
    assert samples(1.0, Evidence(0.01, 100, 5.0, 5.0, 0.01)) == (100, 0.01)


@given(st.lists(st.lists(st.floats(0, 1, allow_subnormal=False), min_size=2, max_size=6), min_size=1, max_size=5))
def test_no_mean_leaves_anything_over(tasks: list[list[float]]) -> None:
    score = average([task(f"{place}@1", scores) for place, scores in enumerate(tasks)])
    assert samples(score.value, told(score))[1] == pytest.approx(0, abs=1e-12)
