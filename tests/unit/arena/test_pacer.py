"""The pace of two answers, in virtual time: models write by a clock that the tests move."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, zip_longest

import pytest

from libra.arena.battles.pacer import MEASURE_SECONDS, SLOWDOWNS, Pacer, Release

RATE = 160.0
TICK = 0.05
LIMIT_SECONDS = 600.0
MAX_CHARACTERS = 800

Writer = Callable[[float], float]
"""The characters that a model has written at a time."""


def steady(rate: float, start: float = 0.0) -> Writer:
    return lambda now: max(0.0, now - start) * rate


def pausing(rate: float, begin: float, end: float) -> Writer:
    return lambda now: rate * (now if now < begin else max(begin, now - (end - begin)))


def bursts(seed: int) -> Writer:
    """Write up to 100 characters at a time, with random pauses."""
    draw, times, totals = random.Random(seed), [0.0], [0.0]
    pause = draw.choice((0.1, 0.5, 2.0))
    while totals[-1] < MAX_CHARACTERS:
        times.append(times[-1] + draw.expovariate(1 / pause))
        totals.append(totals[-1] + draw.randint(1, 100))
    return lambda now: totals[bisect_right(times, now) - 1]


@dataclass(frozen=True)
class Shown:
    """Number of characters that each side shows at a time."""

    now: float
    a: int
    b: int


def watch(lengths: tuple[int, int], writers: Sequence[Writer], start: float = 0.0) -> list[Shown]:
    """Return what is shown at each tick until both answers are shown entirely."""
    pacer, seen = Pacer(RATE), list[Shown]()
    while not pacer.is_done:
        now = len(seen) * TICK
        assert now < LIMIT_SECONDS
        for side, length, writer in zip(pacer.sides, lengths, writers, strict=True):
            written = int(writer(now))
            side.target, side.has_ended = "x" * min(written, length), written >= length
        pacer.release(start + now)
        seen.append(Shown(now, *(len(side.shown) for side in pacer.sides)))
    return seen


def from_the_beginning(seen: Sequence[Shown]) -> list[tuple[int, int]]:
    """Return what is shown from the first text on, which both sides show at once."""
    return [(each.a, each.b) for each in seen if each.a or each.b]


def steps_after_the_first_end(seen: Sequence[Shown], shorter: int) -> list[int]:
    """Return how many characters of the longer answer each tick shows once the shorter one is shown entirely."""
    alone = [each for each in seen if min(each.a, each.b) >= shorter]
    return [max(after.a, after.b) - max(before.a, before.b) for before, after in pairwise(alone)]


@pytest.mark.parametrize(("slow", "fast"), [(45, 400), (30, 3000), (90, 1000), (150, 400), (400, 4000)])
@pytest.mark.parametrize("lengths", [(150, 2000), (900, 1000), (60, 600)])
def test_exchanging_the_models_changes_nothing_that_is_seen(slow: float, fast: float, lengths: tuple[int, int]) -> None:
    starts = (0.4, 2.3)
    seen = watch(lengths, [steady(slow, starts[0]), steady(fast, starts[1])])
    exchanged = watch(lengths, [steady(fast, starts[1]), steady(slow, starts[0])])
    pairs = list(zip_longest(from_the_beginning(seen), from_the_beginning(exchanged), fillvalue=lengths))
    # Ticks that lie otherwise in time round a character down or up.
    assert all(abs(one[0] - other[0]) <= 1 and abs(one[1] - other[1]) <= 1 for one, other in pairs)


@pytest.mark.parametrize(("writer", "pace"), [(steady(45), 26.7), (steady(1000), 160), (steady(110), 80)])
def test_the_longer_answer_goes_on_at_the_same_pace_whichever_model_writes_it(writer: Writer, pace: float) -> None:
    for writers in ([writer, steady(2000)], [steady(2000), writer]):
        seen = watch((200, 1200), writers)
        begun = [each for each in seen if 0 < each.a < 200]
        together = (begun[-1].a - begun[0].a) / (begun[-1].now - begun[0].now)
        steps = steps_after_the_first_end(seen, 200)[:-1]
        assert together == pytest.approx(pace, rel=0.05)
        assert sum(steps) / len(steps) / TICK == pytest.approx(pace, rel=0.05)
        assert max(steps) - min(steps) <= 2


def test_a_model_that_pauses_stops_both() -> None:
    writer = pausing(60, 3.0, 12.0)
    for writers in ([writer, steady(500)], [steady(500), writer]):
        seen = watch((1000, 1000), writers)
        assert all(each.a == each.b for each in seen)
        still = [before.now for before, after in pairwise(seen) if 0 < after.a == before.a < 1000]
        assert 1 < len(still) * TICK < 9


def test_a_model_that_falls_behind_after_the_other_answer_stops_once_until_it_is_whole() -> None:
    seen = watch((100, 1500), [steady(500), pausing(200, 2.0, 30.0)])
    steps = steps_after_the_first_end(seen, 100)[:-1]
    first = steps.index(0)
    going_on = next(place for place in range(first, len(steps)) if steps[place])
    assert (going_on - first) * TICK > 20
    assert 0 not in steps[going_on:]
    assert max(steps[going_on:]) <= max(steps[:first])


@pytest.mark.parametrize("seed", range(40))
def test_random_models_are_shown_alike_until_one_answer_ends(seed: int) -> None:
    draw = random.Random(seed)
    lengths = (draw.randint(0, MAX_CHARACTERS), draw.randint(0, MAX_CHARACTERS))
    seen = watch(lengths, [bursts(seed), bursts(seed + 1000)])
    shorter = min(lengths)
    assert all(min(each.a, shorter) == min(each.b, shorter) for each in seen)
    assert all(after.a - before.a <= RATE * TICK + 1 for before, after in pairwise(seen))
    steps = steps_after_the_first_end(seen, shorter)[:-1]
    stops = [len(list(group)) for is_moving, group in groupby(steps, bool) if not is_moving]
    assert sum(1 for ticks in stops if ticks > 2) <= 1  # at the slowest pace, a tick may round down to nothing


def test_nothing_is_shown_before_both_models_are_measured() -> None:
    seen = watch((500, 500), [steady(300), steady(300, start=4.0)])
    begun = next(each.now for each in seen if each.a)
    assert 4.0 + MEASURE_SECONDS <= begun <= 4.0 + MEASURE_SECONDS + 4 * TICK


def test_two_whole_answers_begin_at_once_at_the_fixed_rate() -> None:
    seen = watch((320, 320), [steady(1e9), steady(1e9)], start=1e6)
    assert seen[-1].now == pytest.approx(2.0, abs=3 * TICK)


def test_a_very_slow_model_stops_both_again_and_again() -> None:
    seen = watch((200, 200), [steady(5), steady(500)])
    assert all(each.a == each.b for each in seen)
    moving = [after.a - before.a for before, after in pairwise(seen)]
    assert max(moving) <= RATE / SLOWDOWNS[-1] * TICK + 1
    assert moving.count(0) > 3 * len(moving) / 4


def test_the_pace_does_not_rise_when_the_slower_model_has_ended() -> None:
    seen = watch((300, 1000), [steady(60), steady(2000)])
    paces = {
        round((after.b - before.b) / (after.now - before.now))
        for before, after in zip(seen, seen[20:], strict=False)
        if before.b and after.b < 1000
    }
    assert max(paces) <= 40 + 1


def test_time_in_which_nothing_could_be_shown_is_not_made_up_for() -> None:
    seen = watch((1000, 1000), [pausing(300, 2.5, 60.0), steady(2000)])
    assert max(after.a - before.a for before, after in pairwise(seen)) <= RATE * TICK + 1


def test_an_answer_that_begins_again_replaces_what_was_shown() -> None:
    pacer = Pacer(RATE)
    for side in pacer.sides:
        side.target = "the first"
    for second in (0.0, MEASURE_SECONDS, 10.0):
        pacer.release(second)
    assert [side.shown for side in pacer.sides] == ["the first"] * 2
    pacer.sides[0].target = ""
    assert pacer.release(11) == [Release(0, "", replaces=True)]
    pacer.sides[0].target = "another"
    assert pacer.release(12) == []
    for side in pacer.sides:
        side.has_ended = True
    pacer.release(13)
    assert pacer.release(20) == [Release(0, "another")]
    assert pacer.is_done


def test_two_empty_answers_are_done_at_once() -> None:
    pacer = Pacer(RATE)
    for side in pacer.sides:
        side.has_ended = True
    assert pacer.release(0) == []
    assert pacer.is_done
