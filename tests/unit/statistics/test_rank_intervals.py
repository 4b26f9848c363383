from __future__ import annotations

import numpy as np
import pytest

from libra.statistics import interval, overall, paired_tests
from libra.statistics.influence import average, covariance, external_score
from libra.statistics.rank_intervals import (
    correlations,
    find_significant_differences,
    rank_intervals,
    rank_intervals_from_covariance,
)
from libra.statistics.score import Score

from .simulated_boards import task

MODELS = 6
BOARDS = 1_000


def test_a_model_far_above_the_others_has_a_single_rank() -> None:
    scores = [external_score(0.5, 0.01), external_score(0.9, 0.01), external_score(0.51, 0.01)]
    assert rank_intervals(scores) == [(2, 3), (1, 1), (2, 3)]


def test_results_keep_the_input_order_and_equal_models_share_all_ranks() -> None:
    assert rank_intervals([external_score(0.5, 0.01)] * 3) == [(1, 3)] * 3
    assert rank_intervals([external_score(value, 0.001) for value in (0.1, 0.3, 0.2)]) == [(3, 3), (1, 1), (2, 2)]
    assert rank_intervals([external_score(0.5, 0.1)]) == [(1, 1)]
    assert rank_intervals([]) == []


def test_a_model_with_unknown_error_may_have_any_rank() -> None:
    assert rank_intervals([external_score(0.9, 0.01), external_score(0.99, None), external_score(0.1, 0.01)]) == [
        (1, 2),
        (1, 3),
        (2, 3),
    ]


def test_holm_corrects_for_the_number_of_pairs() -> None:
    """A pair with p = 0.03 is significant by itself, but not as one of three pairs."""
    gap = 2.17 * np.hypot(0.01, 0.01)
    alone = [external_score(0.5, 0.01), external_score(0.5 + gap, 0.01)]
    assert paired_tests.normal_p(gap, float(np.hypot(0.01, 0.01))) == pytest.approx(0.03, abs=1e-4)
    assert rank_intervals(alone) == [(2, 2), (1, 1)]
    assert rank_intervals([*alone, external_score(0.5 + gap / 2, 0.01)]) == [(1, 3)] * 3


def test_shared_samples_make_smaller_differences_significant() -> None:
    base = [1, 0, 1, 1, 0, 1, 0, 1] * 10
    better = [1, 0, 1, 1, 0, 1, 1, 1] * 10
    assert rank_intervals([task("t@1", base), task("t@1", better)]) == [(2, 2), (1, 1)]
    assert rank_intervals([task("t@1", base), task("u@1", better)]) == [(1, 2), (1, 2)]


def test_a_perfect_score_on_few_samples_is_not_significantly_better() -> None:
    few, many = task("t@1", [1] * 20), task("u@1", ([1] * 22 + [0] * 3) * 400)
    assert few.standard_error == 0
    assert rank_intervals([few, many]) == [(1, 2), (1, 2)]


def test_the_matrix_holds_the_correlation_of_each_pair() -> None:
    generator = np.random.default_rng(3)
    scores = [
        average([task(f"{space}@1", generator.random(9).tolist(), first=model) for space in spaces])
        for model, spaces in enumerate(["ab", "a", "b", "abc"])
    ]
    scores.append(external_score(0.5, 0.1))
    found = correlations(scores)
    for one, first in enumerate(scores):
        for other, second in enumerate(scores):
            assert found[one, other] == pytest.approx(interval.correlation(first, second))
    assert found[0, 3] == pytest.approx(
        covariance(scores[0], scores[3]) / (scores[0].standard_error or 0) / (scores[3].standard_error or 0)
    )


def test_significant_differences_are_those_whose_interval_is_above_0(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(5)
    scores = [
        average([task(f"{space}@1", (generator.random(size) < level).astype(float).tolist()) for space, size in spaces])
        for level in (0.3, 0.5, 0.7, 0.9, 1.0)
        for spaces in ([("a", 40), ("b", 8)], [("a", 40)], [("c", 20)])
    ]
    scores += [external_score(0.6, 0.1), external_score(0.9, None)]
    computed: list[Score] = []
    spread_of = interval.spread_of

    def count_spreads(score: Score) -> interval.Spread | None:
        computed.append(score)
        return spread_of(score)

    monkeypatch.setattr(interval, "spread_of", count_spreads)
    found = find_significant_differences(scores)
    assert len(computed) == len(scores)
    for one, first in enumerate(scores):
        for other, second in enumerate(scores):
            ends = interval.of_difference(first, second)
            assert found[one, other] == (one != other and ends is not None and ends.low > 0)
    assert 0 < found.sum() < found.size / 2


def overalls(generator: np.random.Generator, truth: np.ndarray) -> list[Score]:
    """Return Overall of models whose scores on 30 samples of five tasks are correlated by sample."""
    made = []
    own = generator.random((5, 30))
    for level in truth:
        mixed = np.where(generator.random((5, 30)) < 0.5, own, generator.random((5, 30)))
        tasks = [task(f"{number}@1", row) for number, row in enumerate((mixed < level).astype(float))]
        made.append(overall.by_distance(tasks[0], average(tasks[1:])))
    return made


def test_equal_models_may_have_any_rank_in_95_of_100_boards() -> None:
    """No pair is significant in 95 of 100 boards, and in some board one is: the test is not without power."""
    generator = np.random.default_rng(11)
    contained = [
        rank_intervals(overalls(generator, np.full(MODELS, 0.9))) == [(1, MODELS)] * MODELS for _ in range(BOARDS)
    ]
    assert 0.95 <= np.mean(contained) < 1


def test_the_intervals_contain_all_true_ranks_in_95_of_100_boards() -> None:
    truth = np.array([0.97, 0.93, 0.9, 0.85, 0.75, 0.5])
    generator = np.random.default_rng(12)
    contained, widths = [], []
    for _ in range(BOARDS):
        spans = rank_intervals(overalls(generator, truth))
        contained.append(all(low <= rank <= high for rank, (low, high) in enumerate(spans, 1)))
        widths.append(np.mean([high - low for low, high in spans]))
    assert np.mean(contained) >= 0.95
    # The intervals are informative: they exclude half of the five other ranks.
    assert np.mean(widths) < 2.6


def test_a_covariance_gives_the_rank_intervals_of_the_scores_that_have_it() -> None:
    values, errors = [0.5, 0.9, 0.51, 0.2], [0.01, 0.01, 0.02, 0.0]
    scores = [external_score(value, error) for value, error in zip(values, errors, strict=True)]
    covariance = np.diag(np.square(errors))
    assert rank_intervals_from_covariance(np.array(values), covariance) == rank_intervals(scores)


def test_errors_that_move_together_leave_ranks_certain() -> None:
    values, together = np.array([1.0, 1.2]), np.array([[1.0, 0.999], [0.999, 1.0]])
    assert rank_intervals_from_covariance(values, np.eye(2)) == [(1, 2), (1, 2)]
    assert rank_intervals_from_covariance(values, together) == [(2, 2), (1, 1)]
