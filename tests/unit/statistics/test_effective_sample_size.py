from __future__ import annotations

import math
from collections.abc import Hashable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics.effective_sample_size import (
    BINOMIAL_EVENTS,
    Evidence,
    Part,
    degrees_of_freedom,
    effective_samples,
    equal_samples,
    evidence_of,
)
from libra.statistics.influence import average, external_score, mean
from libra.statistics.score import Influences, Score, TrialsBySample

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
    assert found.events() == pytest.approx([events])


def test_unequal_weights_reduce_the_effective_sample_size() -> None:
    """Kish 1965: n = 1 / sum of squared weights, here 20 weights of 1/40 and 180 of 1/360."""
    small, large = task("small@1", [0, 1] * 10), task("large@1", [0, 1] * 90)
    found = evidence(average([small, large]))
    assert found.n == pytest.approx(1 / (20 / 40**2 + 180 / 360**2))
    assert [part.weight for part in found.parts] == pytest.approx([1 / 40, 1 / 360])


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
        assert evidence(task("t@1", [value] * 21)).events() == [0]


def part(variance: float, n: float, events: float, weight: float = 0.01) -> Evidence:
    """Return the evidence of `n` samples of which the given number are events."""
    fourth = (variance / weight**2) ** 2 / events if events else 0.0
    return Evidence([Part(weight, n, variance, fourth)])


@given(st.floats(0.01, 0.99), st.integers(2, 1000))
def test_a_binomial_variance_gives_the_number_of_samples(value: float, n: int) -> None:
    size, rest = effective_samples(value, equal_samples(value, math.sqrt(value * (1 - value) / n), n))
    assert size == pytest.approx(n)
    assert rest == 0


def test_the_weight_of_a_variance_is_its_number_of_events() -> None:
    # With a weight equal to BINOMIAL_EVENTS, both count half: 1.5 times the binomial variance.
    assert effective_samples(0.5, part(2 * 0.25 / 100, 100, BINOMIAL_EVENTS))[0] == pytest.approx(100 / 1.5)
    assert effective_samples(0.5, part(2 * 0.25 / 100, 100, 1e9))[0] == pytest.approx(50)
    size, rest = effective_samples(0.5, part(0.0, 100, 0.0))
    assert size == pytest.approx(100)
    assert rest == 0


def test_events_of_samples_with_other_weights_say_little_about_a_variance() -> None:
    """One half of the score rests on two samples that agree, the other on 400 of which 40 failed."""
    small, large = task("small@1", [1, 1]), task("large@1", [0] * 40 + [1] * 360)
    found = evidence(average([small, large]))
    assert found.events() == pytest.approx([found.events()[1] / 200**4, evidence(large).events()[0]], rel=1e-6)
    # The two samples count with their binomial variance at the score, 0.95.
    expected = 0.95 * 0.05 / (0.95 * 0.05 / 2 / 4 + 0.9 * 0.1 / 399 / 4)
    assert effective_samples(0.95, found)[0] == pytest.approx(expected, rel=0.01)


def test_a_variance_that_no_mean_can_have_is_returned_as_the_rest() -> None:
    """The largest weight is 1/50, so that a variance above twice v (1 - v) / 50 comes from a correction."""
    most = 2 * 0.02 * 0.25
    size, rest = effective_samples(0.5, part(most + 0.01, 50, 1e9, weight=0.02))
    assert rest == pytest.approx(0.01)
    assert size == pytest.approx(0.25 / most)
    assert effective_samples(1.0, part(0.01, 100, 5.0)) == pytest.approx((100, 0.01))


@given(st.lists(st.lists(st.floats(0, 1, allow_subnormal=False), min_size=2, max_size=6), min_size=1, max_size=5))
def test_a_plain_mean_leaves_no_rest(tasks: list[list[float]]) -> None:
    score = average([task(f"{number}@1", scores) for number, scores in enumerate(tasks)])
    assert effective_samples(score.value, evidence(score))[1] == pytest.approx(0, abs=1e-12)


def test_degrees_of_freedom_are_few_only_where_samples_have_different_weights() -> None:
    def tasks(*sizes: int) -> dict[Hashable, Influences]:
        weight = 1 / len(sizes)
        return {
            number: Influences(np.arange(size), np.full(size, 0.01), weight, size) for number, size in enumerate(sizes)
        }

    assert degrees_of_freedom(tasks(20, 20), tasks(20, 20)) == math.inf
    assert degrees_of_freedom(tasks(2, 400), tasks(2, 400)) == pytest.approx(8, rel=0.02)
    assert degrees_of_freedom(tasks(5, 5, 500), tasks(5, 5, 500)) == pytest.approx(16, rel=0.02)
    assert degrees_of_freedom(tasks(300, 500), tasks(300, 500)) > 300
    assert degrees_of_freedom({}, {}) == math.inf
