from __future__ import annotations

from libra.dispatch.scheduling.throughput import Pace


def test_the_pace_is_what_was_settled_between_two_looks() -> None:
    pace = Pace(100, now_seconds=10.0)
    assert pace.per_second == 0
    pace.look(350, now_seconds=10.5)
    assert pace.per_second == 500


def test_looks_in_quick_succession_are_one() -> None:
    pace = Pace(0, now_seconds=0.0)
    pace.look(64, now_seconds=0.1)
    assert pace.per_second == 0
    pace.look(100, now_seconds=0.25)
    assert pace.per_second == 400


def test_a_look_that_finds_nothing_halves_it() -> None:
    pace = Pace(0, now_seconds=0.0)
    for now_seconds in (1.0, 2.0, 3.0):
        pace.look(1000, now_seconds)
    assert pace.per_second == 250
