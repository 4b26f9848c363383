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


@pytest.mark.parametrize("name", DESIGNS)
def test_intervals_contain_the_truth_as_often_as_they_claim(name: str) -> None:
    found = coverages(DESIGNS[name], seed=4)
    assert {level: share for level, share in found.items() if not 0.93 <= share <= 0.97} == {}


@pytest.mark.parametrize(
    ("design", "tasks", "max_share"),
    [
        (Design((20,), (4, 2), attacks=2, correlation=0.5), 1, 0.97),
        (Design((20,), (19, 1), attacks=2, correlation=0.5), 5, 0.98),
        (Design((200,), (9, 2), attacks=2, correlation=0.7), 1, 0.97),
        # Near 1 on twenty samples, every interval that contains the truth often enough contains it almost always.
        (Design((20,), (19, 1), attacks=2, correlation=0.5), 1, 1.0),
    ],
)
def test_the_interval_of_a_difference_contains_the_truth(design: Design, tasks: int, max_share: float) -> None:
    """Two models answer the same samples; they are drawn like two attacks on one model."""
    generator = np.random.default_rng(2)
    truth = np.clip(generator.beta(*design.beta, (tasks, BOARDS, 2)), 1e-4, 1 - 1e-4)
    sums = [draw_sums(design, generator, each, design.samples[0]) for each in truth]
    contained = []
    for board, gap in enumerate((truth[..., 0] - truth[..., 1]).mean(axis=0)):
        one, other = (
            average([task(str(number), each[board, model]) for number, each in enumerate(sums)]) for model in (0, 1)
        )
        ends = interval.of_difference(one, other)
        assert ends
        contained.append(ends.low <= gap <= ends.high)
    assert 0.93 <= np.mean(contained) <= max_share
