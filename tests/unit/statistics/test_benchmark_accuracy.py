from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from libra.statistics import interval
from libra.statistics.benchmark_accuracy import benchmark_mean
from libra.statistics.influence import average, mean
from libra.statistics.score import Score, TrialsBySample


def benchmark(sums: Sequence[float], epochs: int, squares: float | None = None, task: str = "t@1") -> Score:
    trials = TrialsBySample(task, range(len(sums)), [epochs] * len(sums), sums)
    found = benchmark_mean(trials, sum(sums) if squares is None else squares)
    assert found
    return found


def width(score: Score) -> float:
    ends = interval.of_score(score)
    assert ends
    return ends.high - ends.low


def test_the_error_is_that_of_the_answers_to_each_sample() -> None:
    """Three samples in four epochs, right 4, 2 and 1 times: sums of squares within samples of 0, 1 and 3/4."""
    found = benchmark([4, 2, 1], 4)
    assert found.value == pytest.approx(7 / 12)
    assert found.standard_error == pytest.approx(math.sqrt((1.75 + 0.5) / (9 + 1) / 12))


def test_graded_scores_use_the_sum_of_their_squares() -> None:
    scores = [[0.2, 0.4], [0.9, 0.7], [0.5, 0.5]]
    within = sum((x - sum(pair) / 2) ** 2 for pair in scores for x in pair)
    found = benchmark([sum(pair) for pair in scores], 2, squares=sum(x * x for pair in scores for x in pair))
    assert found.standard_error == pytest.approx(math.sqrt((within + 0.5) / 4 / 6))


def test_one_epoch_says_nothing_about_the_error() -> None:
    assert benchmark([1, 0, 1, 1], 1).standard_error is None
    few = TrialsBySample("t@1", range(5), [2, 2, 1, 1, 1], [1, 2, 1, 0, 1])
    half = TrialsBySample("t@1", range(4), [2, 2, 1, 1], [1, 2, 1, 0])
    unknown, known = benchmark_mean(few, 5), benchmark_mean(half, 4)
    assert unknown
    assert unknown.standard_error is None
    assert known
    assert known.standard_error is not None
    assert benchmark_mean(TrialsBySample("t@1", [], [], []), 0) is None


def test_a_mean_of_tasks_is_unknown_if_one_of_them_is() -> None:
    assert average([benchmark([1, 2, 2], 2), benchmark([1, 0], 1, task="u@1")]).standard_error is None


def test_a_model_that_always_answers_alike_is_known_well_on_its_samples() -> None:
    sums = [5.0] * 80 + [0.0] * 20
    trials = TrialsBySample("t@1", range(100), [5] * 100, sums)
    generalised = mean(trials)
    assert generalised
    assert width(benchmark(sums, 5)) < 0.1 * width(generalised)


def test_an_always_right_model_has_an_interval_with_a_width() -> None:
    assert 0 < width(benchmark([2.0] * 50, 2)) < 0.05


@pytest.mark.parametrize("beta", [(0.5, 0.1), (2, 1), (9, 1), (50, 50)])
@pytest.mark.parametrize(("samples", "epochs", "tasks"), [(20, 2, 1), (20, 5, 5), (200, 2, 5), (200, 5, 1)])
def test_intervals_contain_the_mean_of_these_very_samples(
    beta: tuple[float, float], samples: int, epochs: int, tasks: int
) -> None:
    """Each sample has its own chance of a right answer; the truth is the mean of these chances."""
    generator = np.random.default_rng(3)
    contained = []
    for _ in range(600):
        chances = generator.beta(*beta, (tasks, samples))
        sums = generator.binomial(epochs, chances).astype(float)
        score = average([benchmark(each.tolist(), epochs, task=str(name)) for name, each in enumerate(sums)])
        ends = interval.of_score(score)
        assert ends
        contained.append(ends.low - 1e-12 <= chances.mean() <= ends.high + 1e-12)
    assert 0.92 <= np.mean(contained) <= 0.985
