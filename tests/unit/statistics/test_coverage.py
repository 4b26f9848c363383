"""The meaning of "95 %": the intervals of 2,000 simulated boards contain the true scores in 93 to 97 of 100 cases."""

from __future__ import annotations

import numpy as np
import pytest

from libra.statistics import interval
from libra.statistics.influence import average

from .simulated_boards import BOARDS, Design, coverages, draw_sums, task

DESIGNS = {
    "twenty samples near one": Design((20,), (19, 1)),
    "twenty samples, anywhere": Design((20,), (2, 1)),
    "two hundred samples": Design((200,), (9, 2)),
    "twenty samples and two hundred": Design((20, 200), (9, 1)),
    "five epochs": Design((20,), (19, 1), epochs=5, correlation=0.9),
    "four attacks on the same samples": Design((20,), (19, 1), attacks=4, correlation=0.7),
    "attacks and epochs on many samples": Design((100,), (9, 2), epochs=3, attacks=4, correlation=0.6),
    "graded scores": Design((20,), (19, 1), graded=True),
}

FIVE_BY_TWO, FIVE_BY_EIGHT = (2,) * 5, (8,) * 5
ALWAYS_99, ALWAYS_50 = (99e6, 1e6), (1e8, 1e8)
"""Beta distributions so narrow that every task has the same true score."""

UNEQUAL_DESIGNS = {
    "tasks of 2 and 400 samples, near one": Design((2, 400), (19, 1), categories=FIVE_BY_TWO),
    "tasks of 2 and 400 samples": Design((2, 400), (9, 2), categories=FIVE_BY_TWO),
    "tasks of 2 and 400 samples, anywhere": Design((2, 400), (2, 1), categories=FIVE_BY_TWO),
    "tasks of 5, 50 and 500 samples": Design((5, 50, 500), (9, 2), categories=FIVE_BY_EIGHT),
    "tasks of 5, 50 and 500 samples, anywhere": Design((5, 50, 500), (2, 1), categories=FIVE_BY_EIGHT),
    "tasks of 3 and 30 samples": Design((3, 30), (9, 2), categories=FIVE_BY_TWO),
    "eight tasks of 20 samples": Design((20,), (9, 2), categories=FIVE_BY_EIGHT),
    "eight tasks of 2 or 400 samples": Design((2, 400), (9, 2), categories=FIVE_BY_EIGHT),
}
FIXED_DESIGNS = {
    "always 0.99, tasks of 20": Design((20,), ALWAYS_99, categories=FIVE_BY_EIGHT),
    "always 0.99, tasks of 2 and 400": Design((2, 400), ALWAYS_99, categories=FIVE_BY_EIGHT),
    "always 0.99, tasks of 5, 50 and 500": Design((5, 50, 500), ALWAYS_99, categories=FIVE_BY_EIGHT),
    "always 0.5, tasks of 20": Design((20,), ALWAYS_50, categories=FIVE_BY_EIGHT),
    "always 0.5, tasks of 2 and 400": Design((2, 400), ALWAYS_50, categories=FIVE_BY_EIGHT),
    "always 0.5, tasks of 5, 50 and 500": Design((5, 50, 500), ALWAYS_50, categories=FIVE_BY_EIGHT),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_intervals_contain_the_truth_as_often_as_they_claim(name: str) -> None:
    found = coverages(DESIGNS[name], seed=4)
    assert {level: share for level, share in found.items() if not 0.93 <= share <= 0.97} == {}


@pytest.mark.parametrize("name", UNEQUAL_DESIGNS)
def test_intervals_of_tasks_of_very_different_sizes_contain_the_truth(name: str) -> None:
    """A mean that rests on tasks of two samples has so few possible values that its coverage moves in steps."""
    found = coverages(UNEQUAL_DESIGNS[name], seed=4, boards=BOARDS // 2)
    assert {level: share for level, share in found.items() if not 0.92 <= share <= 0.985} == {}


@pytest.mark.parametrize("name", FIXED_DESIGNS)
def test_intervals_contain_a_truth_that_is_the_same_in_every_board(name: str) -> None:
    """Here the steps do not average out over the boards: 20 of 20 and 19 of 20 make up 98 % of the tasks at 0.99."""
    found = coverages(FIXED_DESIGNS[name], seed=4, boards=BOARDS // 2)
    assert {level: share for level, share in found.items() if not 0.92 <= share <= 0.99} == {}


@pytest.mark.parametrize(
    ("design", "tasks", "max_share"),
    [
        (Design((20,), (4, 2), attacks=2, correlation=0.5), 1, 0.97),
        (Design((20,), (19, 1), attacks=2, correlation=0.5), 5, 0.98),
        (Design((200,), (9, 2), attacks=2, correlation=0.7), 1, 0.97),
        (Design((5, 50, 500), (9, 2), attacks=2, correlation=0.5), 6, 0.97),
        (Design((2, 400), (9, 2), attacks=2, correlation=0.5), 2, 0.99),
        (Design((5, 50, 500), ALWAYS_50, attacks=2, correlation=0.5), 8, 0.97),
        (Design((3, 30), (9, 2), attacks=2, correlation=0.5), 8, 0.97),
        (Design((20,), ALWAYS_50, attacks=2, correlation=0.5), 8, 0.97),
        (Design((2, 400), ALWAYS_50, attacks=2, correlation=0.5), 8, 0.97),
        (Design((20,), (9, 2), attacks=2, correlation=0.5), 8, 0.97),
        # Near 1 on twenty samples, every interval that contains the truth often enough contains it almost always.
        (Design((20,), (19, 1), attacks=2, correlation=0.5), 1, 1.0),
        (Design((20,), ALWAYS_99, attacks=2, correlation=0.5), 8, 1.0),
    ],
)
def test_the_interval_of_a_difference_contains_the_truth(design: Design, tasks: int, max_share: float) -> None:
    assert 0.93 <= difference_coverage(design, tasks) <= max_share


def difference_coverage(design: Design, tasks: int) -> float:
    """Return how often the interval contains the difference of two models that answer the same samples.

    They are drawn like two attacks on one model.
    """
    generator = np.random.default_rng(2)
    truth = np.clip(generator.beta(*design.beta, (tasks, BOARDS, 2)), 1e-4, 1 - 1e-4)
    sizes = [design.samples[index % len(design.samples)] for index in range(tasks)]
    sums = [draw_sums(design, generator, each, size) for each, size in zip(truth, sizes, strict=True)]
    contained = []
    for board, gap in enumerate((truth[..., 0] - truth[..., 1]).mean(axis=0)):
        one, other = (
            average([task(str(number), each[board, model]) for number, each in enumerate(sums)]) for model in (0, 1)
        )
        ends = interval.of_difference(one, other)
        assert ends
        contained.append(ends.low <= gap <= ends.high)
    return float(np.mean(contained))
