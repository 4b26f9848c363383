"""A stage handles at most as many batches as it has slots, also while work is slow or the next queue is full."""

from __future__ import annotations

import asyncio

import pytest

from libra.stage.bus import Outgoing
from libra.stage.policy import Policy
from libra.testing.hostile_bus import HostileBus
from libra.v1.batch_pb2 import TrialBatch

from .runner_harness import OUTPUT_SUBJECT, RunnerHarness, in_virtual_time, now, output


@in_virtual_time
async def test_waiting_for_a_full_queue_does_not_count_as_an_attempt() -> None:
    harness, calls = RunnerHarness(bus=HostileBus(capacity=1), policy=Policy(attempts=1, deliveries=1)), 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal calls
        calls += 1
        return output(trials)

    await harness.bus.publish(Outgoing(OUTPUT_SUBJECT, "first", b""), {})
    await harness.publish(1)
    running = asyncio.create_task(harness.run_for(handle, 2000))
    await asyncio.sleep(1000)
    assert harness.outputs() == ["first"]
    assert harness.bus.messages("work.judge")[0].attempts == 1
    (first,) = await harness.bus.pull("ranking", 1)
    await first.ack()
    await running
    assert harness.outputs() == ["first", "out/1"]
    assert calls == 1
    assert harness.all_settled()


@in_virtual_time
async def test_slow_work_is_not_delivered_to_another_replica() -> None:
    harness, calls = RunnerHarness(), []

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        calls.append(now())
        await asyncio.sleep(250)
        return output(trials)

    await harness.publish(1)
    await asyncio.gather(harness.run_for(handle, 400), harness.run_for(handle, 400))
    assert calls == [pytest.approx(0, abs=0.001)]


@in_virtual_time
async def test_at_most_the_slots_are_in_use_and_one_slow_batch_does_not_block_the_others() -> None:
    harness, running, max_running = RunnerHarness(policy=Policy(slots=4)), 0, 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal running, max_running
        running += 1
        max_running = max(max_running, running)
        await asyncio.sleep(200 if trials.trials[0].sample == 0 else 1)
        running -= 1
        return output(trials)

    await harness.publish(*range(50))
    await harness.run_for(handle, 30)
    assert max_running == 4
    assert len(harness.outputs()) == 49
