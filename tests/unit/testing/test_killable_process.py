from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from libra.testing.killable_process import KillableProcess
from libra.testing.virtual_time import simulate


@dataclass
class Recorder:
    """Records the calls that took effect, and their times."""

    effects: list[tuple[str, float]] = field(default_factory=list)

    async def call(self, value: str) -> str:
        await asyncio.sleep(1)
        self.effects.append((value, asyncio.get_running_loop().time()))
        await asyncio.sleep(1)
        return value


async def ignore_cancellation(process: KillableProcess, recorder: Recorder) -> None:
    """Make calls from a nested task, also after it was cancelled."""

    async def inner() -> None:
        while True:
            try:
                await process(lambda: recorder.call("again"))
            finally:
                await process(lambda: recorder.call("after cancellation"))

    await asyncio.gather(asyncio.create_task(inner()), asyncio.create_task(asyncio.sleep(1000)))


@pytest.mark.parametrize("seconds", [0.5, 1.5, 2.5, 7.0])
def test_no_task_of_a_killed_process_continues_or_has_an_effect(seconds: float) -> None:
    recorder = Recorder()

    async def scenario() -> None:
        process = KillableProcess("one")
        task = process.start(ignore_cancellation(process, recorder))
        await asyncio.sleep(seconds)
        process.kill()
        await process.wait_until_gone()
        assert task.cancelled()
        await asyncio.sleep(100)

    simulate(scenario())
    assert all(at <= seconds for _, at in recorder.effects)


@pytest.mark.parametrize(("calls", "effects"), [(1, 0), (2, 1), (3, 1), (4, 2)])
def test_a_process_dies_before_a_call_or_after_its_effect(calls: int, effects: int) -> None:
    recorder, results = Recorder(), []

    async def work(process: KillableProcess) -> None:
        while True:
            results.append(await process(lambda: recorder.call("x")))

    async def scenario() -> None:
        process = KillableProcess("one", calls=calls)
        process.start(work(process))
        await process.died.wait()
        await process.wait_until_gone()

    simulate(scenario())
    assert len(recorder.effects) == effects
    assert len(results) == (calls - 1) // 2


def test_a_suspended_process_sees_no_result_until_it_is_resumed() -> None:
    async def scenario() -> float:
        process = KillableProcess("one")
        task = process.start(process(lambda: Recorder().call("x")))
        await asyncio.sleep(0.5)
        process.suspend()
        await asyncio.sleep(99.5)
        assert not task.done()
        process.resume()
        await task
        return asyncio.get_running_loop().time()

    assert simulate(scenario()) == pytest.approx(100, abs=0.01)


def test_killing_one_process_leaves_others_alive() -> None:
    async def scenario() -> str:
        first, second = KillableProcess("one"), KillableProcess("other")
        recorder = Recorder()
        first.start(ignore_cancellation(first, recorder))
        task = second.start(second(lambda: recorder.call("other")))
        first.kill()
        await first.wait_until_gone()
        return await task

    assert simulate(scenario()) == "other"
