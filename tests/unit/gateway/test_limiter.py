"""Permits, on a clock that jumps."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.errors import Unavailable
from libra.gateway.limits.limiter import Lane, Limiter, Limits, Permit
from libra.testing.virtual_time import simulate


class Provider:
    """Counts what arrives."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self.arrivals: list[float] = []
        self.most = 0

    async def ask(self, seconds: float, lane: Lane = Lane.BATCH, tokens: int = 0) -> None:
        permit = await self.limiter.acquire(lane, tokens)
        self.arrivals.append(asyncio.get_running_loop().time())
        self.most = max(self.most, self.limiter.in_flight)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.limiter.release(permit, spent_tokens=tokens)

    def most_in(self, seconds: float) -> int:
        return max(sum(start <= at < start + seconds for at in self.arrivals) for start in self.arrivals)


def test_as_many_are_in_flight_as_may_be_and_no_more() -> None:
    async def world() -> None:
        provider = Provider(Limiter(Limits(in_flight=5)))
        await asyncio.gather(*(provider.ask(1) for _ in range(50)))
        assert provider.most == 5
        assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.01)
        assert provider.limiter.in_flight == 0

    simulate(world())


def test_a_wave_is_spread_and_the_limit_is_reached_all_the_same() -> None:
    async def world() -> None:
        provider = Provider(Limiter(Limits(in_flight=500)))
        await asyncio.gather(*(provider.ask(1) for _ in range(2_000)))
        assert provider.most == 500
        assert provider.most_in(0.0099) <= 21
        assert asyncio.get_running_loop().time() == pytest.approx(4.25, abs=0.02)

    simulate(world())


@pytest.mark.parametrize("seconds", [0.0, 0.2, 70.0])
def test_no_burst_passes_the_minute_nor_any_part_of_it(seconds: float) -> None:
    """The authors' limiter counts when a call ends, so that a burst passes whole; here it is counted as it starts."""

    async def world() -> None:
        provider = Provider(Limiter(Limits(in_flight=1000, requests_per_minute=30)))
        await asyncio.gather(*(provider.ask(seconds) for _ in range(100)))
        assert provider.most_in(60) == 30
        assert provider.most_in(1) == 1
        assert provider.arrivals[-1] == pytest.approx(99 * 61 / 30, abs=0.6)

    simulate(world())


def test_tokens_per_minute_hold_back_what_would_exceed_them() -> None:
    async def world() -> None:
        provider = Provider(Limiter(Limits(in_flight=1000, tokens_per_minute=1000)))
        await asyncio.gather(*(provider.ask(1, tokens=100) for _ in range(35)))
        assert provider.most_in(60) == 10

    simulate(world())


def test_calls_go_before_retries_and_these_before_batches() -> None:
    async def world() -> None:
        limiter, order = Limiter(Limits(in_flight=1)), []

        async def ask(lane: Lane, number: int) -> None:
            permit = await limiter.acquire(lane)
            order.append((lane, number))
            await asyncio.sleep(1)
            limiter.release(permit)

        first = asyncio.create_task(ask(Lane.BATCH, 0))
        await asyncio.sleep(0.1)
        lanes = [Lane.BATCH, Lane.AGAIN, Lane.INTERACTIVE]
        await asyncio.gather(first, *(ask(lane, number) for number in (1, 2) for lane in lanes))
        assert order[1:] == sorted(order[1:])

    simulate(world())


def test_a_pause_is_for_the_whole_model_and_to_the_second() -> None:
    async def world() -> None:
        provider = Provider(Limiter(Limits(in_flight=2)))
        waiting = [asyncio.create_task(provider.ask(1)) for _ in range(4)]
        await asyncio.sleep(0.5)
        provider.limiter.pause(17)
        provider.limiter.pause(3)  # a shorter one takes nothing back
        await asyncio.gather(*waiting)
        assert provider.arrivals[2:] == [pytest.approx(17.5, abs=0.01)] * 2
        assert min(provider.arrivals[2:]) >= 17.5

    simulate(world())


def test_a_burst_of_refusals_is_one_sign() -> None:
    async def world() -> None:
        limiter = Limiter(Limits(in_flight=100))
        permits = [await limiter.acquire(Lane.BATCH) for _ in range(100)]
        await asyncio.sleep(1)
        for permit in permits:
            limiter.pressed(permit)
            limiter.release(permit)
        assert limiter.level == 50

    simulate(world())


def test_clean_rounds_raise_what_a_refusal_lowered() -> None:
    async def world() -> None:
        limiter, rounds = Limiter(Limits(in_flight=100)), 0
        while limiter.level > 1:
            permit = await limiter.acquire(Lane.BATCH)
            await asyncio.sleep(1)
            limiter.pressed(permit)
            limiter.release(permit)
        while limiter.level < 100:
            rounds += 1
            for _ in range(limiter.level):
                limiter.eased()
        assert 20 < rounds < 50

    simulate(world())


def test_limits_can_be_changed_while_running() -> None:
    async def world() -> None:
        provider = Provider(Limiter(Limits(in_flight=2)))
        work = [asyncio.create_task(provider.ask(1)) for _ in range(40)]
        await asyncio.sleep(2.5)
        assert provider.most == 2
        provider.limiter.change(Limits(in_flight=10))
        await asyncio.sleep(1)
        assert provider.most == 10
        provider.limiter.change(Limits(in_flight=3))
        await asyncio.sleep(1)
        provider.most = 0
        await asyncio.gather(*work)
        assert provider.most == 3

    simulate(world())


def test_closing_turns_batches_away_and_answers_calls() -> None:
    async def world() -> None:
        limiter = Limiter(Limits(in_flight=1))
        held = await limiter.acquire(Lane.BATCH)
        batch = asyncio.create_task(limiter.acquire(Lane.BATCH))
        resting = asyncio.create_task(limiter.rest(1000, Lane.AGAIN))
        call = asyncio.create_task(limiter.acquire(Lane.INTERACTIVE))
        await asyncio.sleep(1)
        limiter.close()
        for turned_away in (batch, resting, limiter.acquire(Lane.BATCH), limiter.rest(5, Lane.BATCH)):
            with pytest.raises(Unavailable):
                await turned_away
        assert asyncio.get_running_loop().time() == pytest.approx(1, abs=0.01)
        limiter.release(held)
        assert isinstance(await call, Permit)
        await limiter.rest(5, Lane.INTERACTIVE)
        assert asyncio.get_running_loop().time() == pytest.approx(6, abs=0.01)

    simulate(world())


def test_a_rest_ends_when_it_is_over() -> None:
    async def world() -> None:
        await Limiter(Limits()).rest(5, Lane.AGAIN)
        assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.01)

    simulate(world())


STEPS = st.lists(
    st.tuples(st.floats(0, 5), st.floats(0, 30), st.sampled_from(list(Lane)), st.sampled_from(["", "leave", "press"])),
    max_size=60,
)


@given(st.integers(1, 5), st.integers(0, 20), st.integers(0, 300), STEPS)
def test_whoever_comes_and_leaves_no_permit_is_lost_or_given_twice(
    in_flight: int, per_minute: int, tokens: int, steps: list[tuple[float, float, Lane, str]]
) -> None:
    async def one(limiter: Limiter, arrivals: list[float], seconds: float, lane: Lane, what: str) -> None:
        permit = await limiter.acquire(lane, 50)
        assert limiter.in_flight <= in_flight
        arrivals.append(asyncio.get_running_loop().time())
        try:
            await asyncio.sleep(seconds)
            if what == "press":
                limiter.pressed(permit)
            else:
                limiter.eased()
        finally:
            limiter.release(permit, spent_tokens=40)

    async def world() -> None:
        limiter = Limiter(Limits(in_flight, per_minute, tokens))
        arrivals: list[float] = []
        work = []
        for gap, seconds, lane, what in steps:
            await asyncio.sleep(gap)
            task = asyncio.create_task(one(limiter, arrivals, seconds, lane, what))
            if what == "leave":
                asyncio.get_running_loop().call_later(seconds / 2, task.cancel)
            work.append(task)
        for task, (_, _, _, what) in zip(work, steps, strict=True):
            try:
                await task
            except asyncio.CancelledError:
                assert what == "leave"
        assert limiter.in_flight == 0
        if per_minute:
            for first, last in zip(arrivals, itertools.islice(arrivals, per_minute, None), strict=False):
                assert last - first >= 60

    simulate(world())


def test_a_grant_that_changes_is_told_of() -> None:
    told: list[int] = []

    async def test() -> None:
        limiter = Limiter(Limits(in_flight=500))
        limiter.on_grant = lambda: told.append(limiter.granted)
        for in_flight in (0, 0, 500, 500):
            limiter.hold((in_flight, 0, 0), 1000.0, pace=0)

    simulate(test())
    assert told == [0, 500]
