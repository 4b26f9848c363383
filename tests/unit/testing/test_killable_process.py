from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from libra.testing.killable_process import KillableProcess
from libra.testing.virtual_time import simulate


@dataclass
class Outside:
    """What has reached the outside, and when."""

    arrived: list[tuple[str, float]] = field(default_factory=list)

    async def take(self, what: str) -> str:
        await asyncio.sleep(1)
        self.arrived.append((what, asyncio.get_running_loop().time()))
        await asyncio.sleep(1)
        return what


async def stubborn(process: KillableProcess, outside: Outside) -> None:
    """Calls from a task of a task, and does not take an end for an end."""

    async def deeper() -> None:
        while True:
            try:
                await process(lambda: outside.take("again"))
            finally:
                await process(lambda: outside.take("a last word"))

    await asyncio.gather(asyncio.create_task(deeper()), asyncio.create_task(asyncio.sleep(1000)))


@pytest.mark.parametrize("seconds", [0.5, 1.5, 2.5, 7.0])
def test_nothing_of_a_killed_process_goes_on_or_reaches_the_outside(seconds: float) -> None:
    outside = Outside()

    async def world() -> None:
        process = KillableProcess("one")
        living = process.start(stubborn(process, outside))
        await asyncio.sleep(seconds)
        process.kill()
        await process.wait_until_gone()
        assert living.cancelled()
        await asyncio.sleep(100)

    simulate(world())
    assert all(when <= seconds for _, when in outside.arrived)


@pytest.mark.parametrize(("calls", "arrived"), [(1, 0), (2, 1), (3, 1), (4, 2)])
def test_it_dies_before_a_call_or_after_it_took_effect(calls: int, arrived: int) -> None:
    outside, known = Outside(), []

    async def work(process: KillableProcess) -> None:
        while True:
            known.append(await process(lambda: outside.take("x")))

    async def world() -> None:
        process = KillableProcess("one", calls=calls)
        process.start(work(process))
        await process.died.wait()
        await process.wait_until_gone()

    simulate(world())
    assert len(outside.arrived) == arrived
    assert len(known) == (calls - 1) // 2


def test_a_frozen_process_hears_of_nothing_until_it_thaws() -> None:
    async def world() -> float:
        process = KillableProcess("one")
        calling = process.start(process(lambda: Outside().take("x")))
        await asyncio.sleep(0.5)
        process.suspend()
        await asyncio.sleep(99.5)
        assert not calling.done()
        process.resume()
        await calling
        return asyncio.get_running_loop().time()

    assert simulate(world()) == pytest.approx(100, abs=0.01)


def test_one_process_does_not_end_with_another() -> None:
    async def world() -> str:
        one, other = KillableProcess("one"), KillableProcess("other")
        outside = Outside()
        one.start(stubborn(one, outside))
        calling = other.start(other(lambda: outside.take("other")))
        one.kill()
        await one.wait_until_gone()
        return await calling

    assert simulate(world()) == "other"
