"""What "95 %" means: of 2,000 boards whose truth is known, the intervals hold it in 93 to 97 of 100."""

from __future__ import annotations

import pytest

from .boards import Design, coverages

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
