from __future__ import annotations

import pytest

from libra.arena.battles.pacer import Pacer, Release

RATE = 100.0


def shown(pacer: Pacer) -> list[int]:
    return [len(side.shown) for side in pacer.sides]


def test_the_faster_side_waits_for_the_slower_one() -> None:
    pacer = Pacer(RATE)
    pacer.sides[0].target, pacer.sides[0].has_ended = "a" * 80, True
    pacer.release(0)
    pacer.release(10)
    assert shown(pacer) == [0, 0]
    pacer.sides[1].target = "b" * 30
    pacer.release(20)
    pacer.release(21)
    assert shown(pacer) == [30, 30]
    assert not pacer.is_done


def test_no_side_is_shown_faster_than_the_rate() -> None:
    pacer = Pacer(RATE)
    for side in pacer.sides:
        side.target, side.has_ended = "x" * 200, True
    pacer.release(0)
    for second in (0.5, 1.0, 1.5, 2.0):
        pacer.release(second)
        assert shown(pacer) == [pytest.approx(second * RATE, abs=1)] * 2
    assert pacer.is_done


def test_a_side_that_has_ended_does_not_hold_up_the_other() -> None:
    pacer = Pacer(1e9)
    pacer.sides[0].target, pacer.sides[0].has_ended = "short", True
    pacer.sides[1].target = "a longer text"
    pacer.release(0)
    pacer.release(1)
    assert shown(pacer) == [5, 13]


def test_time_in_which_nothing_could_be_shown_is_not_made_up_for() -> None:
    pacer = Pacer(RATE)
    pacer.release(0)
    pacer.release(60)
    for side in pacer.sides:
        side.target = "x" * 1000
    pacer.release(60.1)
    assert max(shown(pacer)) <= 11


def test_an_answer_that_begins_again_replaces_what_was_shown() -> None:
    pacer = Pacer(1e9)
    for side in pacer.sides:
        side.target = "the first"
    pacer.release(0)
    pacer.release(1)
    pacer.sides[0].target = ""
    assert pacer.release(2) == [Release(0, "", replaces=True)]
    pacer.sides[0].target = "another"
    assert pacer.release(3) == [Release(0, "another")]


def test_two_empty_answers_are_done_at_once() -> None:
    pacer = Pacer(RATE)
    for side in pacer.sides:
        side.has_ended = True
    assert pacer.release(0) == []
    assert pacer.is_done
