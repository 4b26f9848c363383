from __future__ import annotations

import math
import statistics
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics.influence import average, covariance, difference, external_score, mean, mean_from_sums, transform
from libra.statistics.score import TrialsBySample

from .simulated_boards import task

unit = st.floats(0, 1, allow_subnormal=False)


@given(st.lists(unit, min_size=2, max_size=40))
def test_the_standard_error_of_a_task_is_the_sample_deviation_over_the_root_of_n(scores: list[float]) -> None:
    found = task("t@1", scores)
    assert found.value == pytest.approx(statistics.fmean(scores))
    assert found.standard_error == pytest.approx(statistics.stdev(scores) / math.sqrt(len(scores)), abs=1e-9)
    assert found.n == len(scores)


@given(st.lists(unit, min_size=2, max_size=40))
def test_a_mean_from_sums_has_the_same_standard_error(scores: list[float]) -> None:
    found = mean_from_sums(len(scores), math.fsum(scores), math.fsum(score * score for score in scores))
    assert found
    assert found.value == pytest.approx(statistics.fmean(scores))
    assert found.standard_error == pytest.approx(statistics.stdev(scores) / math.sqrt(len(scores)), abs=1e-7)


def by_pairs(groups: list[list[float]]) -> float:
    """Return the clustered variance by the formula of Miller 2024 (arXiv 2411.00640): over all pairs in a cluster."""
    trials = [score for group in groups for score in group]
    centre = statistics.fmean(trials)
    # The pairs of a trial with itself give the unclustered variance.
    pairs = ((one - centre) * (other - centre) for group in groups for one in group for other in group)
    return math.fsum(pairs) / len(trials) ** 2


@given(st.lists(st.lists(unit, min_size=1, max_size=5), min_size=2, max_size=12))
def test_the_error_is_clustered_by_sample(groups: list[list[float]]) -> None:
    trials = TrialsBySample(
        "t@1", range(len(groups)), [len(group) for group in groups], [math.fsum(group) for group in groups]
    )
    found = mean(trials)
    assert found
    k = len(groups)
    assert found.value == pytest.approx(statistics.fmean(score for group in groups for score in group))
    assert (found.standard_error or 0) ** 2 == pytest.approx(by_pairs(groups) * k / (k - 1), abs=1e-12)


def test_repeated_trials_do_not_reduce_the_standard_error() -> None:
    scores = [1.0, 0.0, 1.0, 1.0, 0.5]
    once = task("t@1", scores)
    thrice = mean(TrialsBySample("t@1", range(5), [3] * 5, [3 * score for score in scores]))
    assert thrice
    assert thrice.standard_error == pytest.approx(once.standard_error)
    assert thrice.n == 15


def test_arrays_are_accepted_with_samples_in_any_order() -> None:
    one = mean(TrialsBySample("t@1", array("i", [7, 3, 5]), array("i", [1, 1, 1]), array("d", [1.0, 0.0, 0.5])))
    other = task("t@1", [0.0, 0.0, 0.5, 0.5, 1.0])
    assert one
    # Samples 3 and 5 score 0 and 0.5 here; of these, the other score has only sample 3, with 0.5.
    assert covariance(one, other) == pytest.approx((0.0 - 0.5) / 3 * math.sqrt(1.5) * (0.5 - 0.4) / 5 * math.sqrt(1.25))
    assert covariance(one, one) == pytest.approx((one.standard_error or 0) ** 2)
    in_order = mean(TrialsBySample("t@1", [3, 5, 7], [1, 1, 1], [0.0, 0.5, 1.0]))
    assert in_order
    assert average([one, other]).standard_error == pytest.approx(average([in_order, other]).standard_error)


paired = st.lists(st.tuples(unit, unit), min_size=2, max_size=40)


@given(paired)
def test_a_difference_is_paired_by_sample(pairs: list[tuple[float, float]]) -> None:
    """Its variance is the variance of the differences over n: Miller 2024, section 4.2."""
    one, other = task("t@1", [a for a, _ in pairs]), task("t@1", [b for _, b in pairs])
    gaps = [a - b for a, b in pairs]
    found = difference(one, other)
    assert found.value == pytest.approx(statistics.fmean(gaps), abs=1e-12)
    assert found.standard_error == pytest.approx(statistics.stdev(gaps) / math.sqrt(len(gaps)), abs=1e-9)
    assert found.is_difference


def test_scores_of_different_tasks_are_independent() -> None:
    one, other = task("one@1", [0, 1, 1, 1]), task("other@1", [1, 0, 0, 1])
    assert covariance(one, other) == 0
    errors = (one.standard_error or 0, other.standard_error or 0)
    assert difference(one, other).standard_error == pytest.approx(math.hypot(*errors))
    assert average([one, other]).standard_error == pytest.approx(math.hypot(*errors) / 2)


@given(paired)
def test_parts_that_share_samples_are_dependent(pairs: list[tuple[float, float]]) -> None:
    plain, attacked = task("t@1", [a for a, _ in pairs]), task("t@1", [b for _, b in pairs])
    means = [(a + b) / 2 for a, b in pairs]
    found = average([plain, attacked])
    assert found.value == pytest.approx(statistics.fmean(means))
    assert found.standard_error == pytest.approx(statistics.stdev(means) / math.sqrt(len(means)), abs=1e-9)
    assert found.n == 2 * len(pairs)


def test_parts_may_share_some_of_their_samples() -> None:
    one, other = task("t@1", [0, 1, 1, 0, 1]), task("t@1", [1, 1, 0, 0], first=3)
    variance = (one.standard_error or 0) ** 2 + (other.standard_error or 0) ** 2
    shared = covariance(one, other)
    assert shared == pytest.approx(math.sqrt(5 / 4 * 4 / 3) * (-0.6 * 0.5 + 0.4 * 0.5) / 20)
    assert average([one, other]).standard_error == pytest.approx(math.sqrt(variance + 2 * shared) / 2)
    (influences,) = average([one, other]).influences.values()
    assert influences.clusters == 7
    assert influences.weight == 1


def test_parts_with_equally_many_different_samples_are_independent() -> None:
    one, other = task("t@1", [0, 1, 1, 0]), task("t@1", [1, 1, 0, 1], first=4)
    assert covariance(one, other) == 0
    errors = math.hypot(one.standard_error or 0, other.standard_error or 0)
    assert average([one, other]).standard_error == pytest.approx(errors / 2)
    shifted = task("t@1", [0, 1, 1, 0], first=1)
    assert average([one, shifted]).standard_error != pytest.approx(one.standard_error)


def test_a_mean_is_unweighted_at_every_step() -> None:
    small, large = task("small@1", [1.0, 0.0]), task("large@1", [1.0] * 100)
    assert average([small, large]).value == 0.75
    assert average([average([small, large]), large]).value == 0.875


@given(st.lists(st.tuples(unit, st.floats(-2, 2)), min_size=1, max_size=6))
def test_a_smooth_function_has_the_error_of_its_gradient(parts: list[tuple[float, float]]) -> None:
    scores = [(external_score(value, 0.1 + value / 10), gradient) for value, gradient in parts]
    found = transform(0.5, scores)
    expected = math.sqrt(math.fsum((gradient * (0.1 + value / 10)) ** 2 for value, gradient in parts))
    assert found.standard_error == pytest.approx(expected)


def test_an_unknown_error_makes_every_derived_error_unknown() -> None:
    unknown, known = task("t@1", [1.0]), task("u@1", [1.0, 0.0])
    assert (unknown.value, unknown.n, unknown.standard_error) == (1.0, 1, None)
    assert average([unknown, known]).standard_error is None
    assert difference(known, external_score(0.5, None)).standard_error is None
    alone = mean_from_sums(1, 0.5, 0.25)
    assert alone
    assert alone.standard_error is None


def test_without_trials_there_is_no_score() -> None:
    assert mean_from_sums(0, 0, 0) is None
    assert mean(TrialsBySample("t@1", [], [], [])) is None
    assert mean(TrialsBySample("t@1", [1, 2], [0, 0], [0.0, 0.0])) is None


def test_a_sample_without_a_scored_trial_is_no_cluster() -> None:
    found = mean(TrialsBySample("t@1", [1, 2, 3], [1, 0, 1], [1.0, 0.0, 0.0]))
    assert found
    assert found.standard_error == pytest.approx(0.5)


def test_an_external_score_is_independent_of_all_others() -> None:
    one, other = external_score(0.4, 0.03), external_score(0.6, 0.04)
    assert covariance(one, other) == 0
    assert difference(one, other).standard_error == pytest.approx(0.05)
    assert difference(one, one).standard_error == 0
    first, second = mean_from_sums(10, 5, 5), mean_from_sums(10, 5, 5)
    assert first
    assert second
    assert covariance(first, second) == 0


@given(unit, st.integers(2, 10_000))
def test_equal_scores_have_no_standard_error(score: float, n: int) -> None:
    found = mean_from_sums(n, n * score, n * score * score)
    assert found
    assert found.standard_error == pytest.approx(0, abs=1e-7)


def test_a_rounding_error_is_no_variance() -> None:
    for n in (10, 1_000, 300_000):
        found = mean_from_sums(n, math.fsum([0.9] * n), math.fsum([0.9 * 0.9] * n))
        assert found
        assert found.standard_error == 0


def test_an_average_of_fifty_seven_tasks_needs_8_bytes_a_sample() -> None:
    scores = [task(f"{number}@1", [1.0] * 175) for number in range(57)]
    whole = average(scores)
    assert sum(each.values.nbytes for each in whole.influences.values()) == 57 * 175 * 8
