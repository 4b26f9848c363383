"""What "95 %" means: of 2,000 boards whose truth is known, the intervals hold it in 93 to 97 of 100."""

from __future__ import annotations

import numpy as np
import pytest

from libra.statistics import interval
from libra.statistics.influence import average

from .boards import BOARDS, Design, coverages, drawn, task

DESIGNS = {
    "twenty samples near one": Design((20,), (19, 1)),
    "twenty samples, anywhere": Design((20,), (2, 1)),
    "two hundred samples": Design((200,), (9, 2)),
    "twenty samples and two hundred": Design((20, 200), (9, 1)),
    "five epochs": Design((20,), (19, 1), epochs=5, alike=0.9),
    "four attacks on the same samples": Design((20,), (19, 1), attacks=4, alike=0.7),
    "attacks and epochs on many samples": Design((100,), (9, 2), epochs=3, attacks=4, alike=0.6),
    "graded scores": Design((20,), (19, 1), graded=True),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    found = coverages(DESIGNS[name], seed=4)
    assert {level: share for level, share in found.items() if not 0.93 <= share <= 0.97} == {}


@pytest.mark.parametrize(
    ("design", "tasks", "most"),
    [
        (Design((20,), (4, 2), attacks=2, alike=0.5), 1, 0.97),
        (Design((20,), (19, 1), attacks=2, alike=0.5), 5, 0.98),
        (Design((200,), (9, 2), attacks=2, alike=0.7), 1, 0.97),
        # Near 1, on twenty samples, no interval that is right more seldom than this is right often enough.
        (Design((20,), (19, 1), attacks=2, alike=0.5), 1, 1.0),
    ],
)
def test_the_interval_of_a_difference_holds_the_truth(design: Design, tasks: int, most: float) -> None:
    """Of two models on the same samples, drawn as two attacks on one are."""
    generator = np.random.default_rng(2)
    truth = np.clip(generator.beta(*design.beta, (tasks, BOARDS, 2)), 1e-4, 1 - 1e-4)
    sums = [drawn(design, generator, each, design.samples[0]) for each in truth]
    held = []
    for board, gap in enumerate((truth[..., 0] - truth[..., 1]).mean(axis=0)):
        one, other = (
            average([task(str(place), each[board, model]) for place, each in enumerate(sums)]) for model in (0, 1)
        )
        ends = interval.of_difference(one, other)
        assert ends
        held.append(ends.low <= gap <= ends.high)
    assert 0.93 <= np.mean(held) <= most
