"""The limiter in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.core.errors import Unavailable
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.limits.budget import Permit, RequestLimits
from libra.gateway.limits.limiter import Limiter
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


def test_requests_in_flight_reach_the_limit_and_never_exceed_it() -> None:
    async def world() -> None:
        provider = Provider(Limiter(RequestLimits(in_flight=5)))
        await asyncio.gather(*(provider.ask(1) for _ in range(50)))
        assert provider.most == 5
        assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.01)
        assert provider.limiter.in_flight == 0

    simulate(world())


def test_slow_start_spreads_a_wave_and_still_reaches_the_limit() -> None:
    async def world() -> None:
        provider = Provider(Limiter(RequestLimits(in_flight=500)))
        await asyncio.gather(*(provider.ask(1) for _ in range(2_000)))
        assert provider.most == 500
        assert provider.most_in(0.0099) <= 21
        assert asyncio.get_running_loop().time() == pytest.approx(4.25, abs=0.02)

    simulate(world())


@pytest.mark.parametrize("seconds", [0.0, 0.2, 70.0])
def test_no_burst_passes_within_a_minute_or_a_part_of_it(seconds: float) -> None:
    """A limiter that counts requests when they end lets a whole burst pass; this one counts them when they start."""

    async def world() -> None:
        provider = Provider(Limiter(RequestLimits(in_flight=1000, requests_per_minute=30)))
        await asyncio.gather(*(provider.ask(seconds) for _ in range(100)))
        assert provider.most_in(60) == 30
        assert provider.most_in(1) == 1
        assert provider.arrivals[-1] == pytest.approx(99 * 61 / 30, abs=0.6)

    simulate(world())


def test_requests_wait_for_tokens_per_minute() -> None:
    async def world() -> None:
        provider = Provider(Limiter(RequestLimits(in_flight=1000, tokens_per_minute=1000)))
        await asyncio.gather(*(provider.ask(1, tokens=100) for _ in range(35)))
        assert provider.most_in(60) == 10

    simulate(world())


def test_calls_are_admitted_before_retries_and_retries_before_batches() -> None:
    async def world() -> None:
        limiter, order = Limiter(RequestLimits(in_flight=1)), []

        async def ask(lane: Lane, number: int) -> None:
            permit = await limiter.acquire(lane)
            order.append((lane, number))
            await asyncio.sleep(1)
            limiter.release(permit)

        first = asyncio.create_task(ask(Lane.BATCH, 0))
        await asyncio.sleep(0.1)
        lanes = [Lane.BATCH, Lane.RETRY, Lane.INTERACTIVE]
        await asyncio.gather(first, *(ask(lane, number) for number in (1, 2) for lane in lanes))
        assert order[1:] == sorted(order[1:])

    simulate(world())


def test_a_pause_holds_for_the_whole_model_and_is_exact() -> None:
    async def world() -> None:
        provider = Provider(Limiter(RequestLimits(in_flight=2)))
        waiting = [asyncio.create_task(provider.ask(1)) for _ in range(4)]
        await asyncio.sleep(0.5)
        provider.limiter.pause(17)
        provider.limiter.pause(3)  # a shorter pause changes nothing
        await asyncio.gather(*waiting)
        assert provider.arrivals[2:] == [pytest.approx(17.5, abs=0.01)] * 2
        assert min(provider.arrivals[2:]) >= 17.5

    simulate(world())


def test_a_burst_of_refusals_reduces_the_concurrency_once() -> None:
    async def world() -> None:
        limiter = Limiter(RequestLimits(in_flight=100))
        permits = [await limiter.acquire(Lane.BATCH) for _ in range(100)]
        await asyncio.sleep(1)
        for permit in permits:
            limiter.on_throttle(permit)
            limiter.release(permit)
        assert limiter.concurrency == 50

    simulate(world())


def test_rounds_of_answers_raise_the_concurrency_again() -> None:
    async def world() -> None:
        limiter, rounds = Limiter(RequestLimits(in_flight=100)), 0
        while limiter.concurrency > 1:
            permit = await limiter.acquire(Lane.BATCH)
            await asyncio.sleep(1)
            limiter.on_throttle(permit)
            limiter.release(permit)
        while limiter.concurrency < 100:
            rounds += 1
            for _ in range(limiter.concurrency):
                limiter.on_success()
        assert 20 < rounds < 50

    simulate(world())


def test_the_quota_can_change_at_any_time() -> None:
    async def world() -> None:
        provider = Provider(Limiter(RequestLimits(in_flight=10)))
        provider.limiter.set_quota((2, 0, 0), math.inf, target_requests=0)
        work = [asyncio.create_task(provider.ask(1)) for _ in range(40)]
        await asyncio.sleep(2.5)
        assert provider.most == 2
        provider.limiter.set_quota((5, 0, 0), math.inf, target_requests=0)
        await asyncio.sleep(1)
        assert provider.most == 5
        provider.limiter.set_quota((3, 0, 0), math.inf, target_requests=0)
        await asyncio.sleep(1)
        provider.most = 0
        await asyncio.gather(*work)
        assert provider.most == 3

    simulate(world())


def test_closing_rejects_batches_and_still_admits_calls() -> None:
    async def world() -> None:
        limiter = Limiter(RequestLimits(in_flight=1))
        permit = await limiter.acquire(Lane.BATCH)
        batch = asyncio.create_task(limiter.acquire(Lane.BATCH))
        sleeping = asyncio.create_task(limiter.sleep(1000, Lane.RETRY))
        call = asyncio.create_task(limiter.acquire(Lane.INTERACTIVE))
        await asyncio.sleep(1)
        limiter.close()
        for rejected in (batch, sleeping, limiter.acquire(Lane.BATCH), limiter.sleep(5, Lane.BATCH)):
            with pytest.raises(Unavailable):
                await rejected
        assert asyncio.get_running_loop().time() == pytest.approx(1, abs=0.01)
        limiter.release(permit)
        assert isinstance(await call, Permit)
        await limiter.sleep(5, Lane.INTERACTIVE)
        assert asyncio.get_running_loop().time() == pytest.approx(6, abs=0.01)

    simulate(world())


def test_a_sleep_ends_on_time() -> None:
    async def world() -> None:
        await Limiter(RequestLimits()).sleep(5, Lane.RETRY)
        assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.01)

    simulate(world())


STEPS = st.lists(
    st.tuples(
        st.floats(0, 5), st.floats(0, 30), st.sampled_from(list(Lane)), st.sampled_from(["", "leave", "throttle"])
    ),
    max_size=60,
)


@given(st.integers(1, 5), st.integers(0, 20), st.integers(0, 300), STEPS)
def test_no_permit_is_lost_or_granted_twice(
    in_flight: int, per_minute: int, tokens: int, steps: list[tuple[float, float, Lane, str]]
) -> None:
    async def one(limiter: Limiter, arrivals: list[float], seconds: float, lane: Lane, what: str) -> None:
        permit = await limiter.acquire(lane, 50)
        assert limiter.in_flight <= in_flight
        arrivals.append(asyncio.get_running_loop().time())
        try:
            await asyncio.sleep(seconds)
            if what == "throttle":
                limiter.on_throttle(permit)
            else:
                limiter.on_success()
        finally:
            limiter.release(permit, spent_tokens=40)

    async def world() -> None:
        limiter = Limiter(RequestLimits(in_flight, per_minute, tokens))
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


class Observer:
    """Records what a limiter reports."""

    def __init__(self) -> None:
        self.allocations: list[int] = []
        self.starved = 0

    def on_allocation(self, in_flight: int) -> None:
        self.allocations.append(in_flight)

    def on_starved(self) -> None:
        self.starved += 1


def test_the_observer_learns_of_a_new_allocation_and_of_a_request_without_quota() -> None:
    observer = Observer()

    async def world() -> None:
        limiter = Limiter(RequestLimits(in_flight=500), observer)
        await limiter.acquire(Lane.BATCH)
        assert observer.starved == 0
        for in_flight in (0, 0, 500, 500, 0):
            limiter.set_quota((in_flight, 0, 0), 1000.0, target_requests=0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await limiter.acquire(Lane.INTERACTIVE)

    simulate(world())
    assert observer.allocations == [0, 500, 0]
    assert observer.starved == 1
