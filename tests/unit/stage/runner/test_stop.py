"""A stage that is stopped finishes what it can in time and returns the other messages to the queue."""

from __future__ import annotations

import asyncio

import pytest

from libra.core.errors import Unavailable
from libra.stage.bus import Outgoing
from libra.stage.policy import Policy
from libra.stage.runner import run
from libra.testing.hostile_bus import HostileBus
from libra.v1.batch_pb2 import TrialBatch

from .runner_harness import OUTPUT_SUBJECT, RunnerHarness, handle_immediately, in_virtual_time, now, output


@in_virtual_time
async def test_a_stop_while_the_next_queue_is_full_returns_the_message() -> None:
    harness = RunnerHarness(bus=HostileBus(capacity=1))
    await harness.bus.publish(Outgoing(OUTPUT_SUBJECT, "first", b""), {})
    await harness.publish(1)
    await harness.run_for(handle_immediately, 10)
    assert now() < 11
    (again,) = await harness.bus.pull("judge", 1)
    assert again.attempt == 2
    assert now() < 11


@in_virtual_time
async def test_a_stop_during_an_outage_returns_the_message() -> None:
    harness = RunnerHarness()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        raise Unavailable("MongoDB is down")

    await harness.publish(1)
    await harness.run_for(handle, 10)
    assert now() < 11
    (again,) = await harness.bus.pull("judge", 1)
    assert again.attempt == 2


@in_virtual_time
async def test_a_stop_lets_running_work_finish_and_returns_the_rest() -> None:
    harness = RunnerHarness(policy=Policy(slots=2, drain_seconds=20.0))

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(10 if trials.trials[0].sample == 1 else 10_000)
        return output(trials)

    await harness.publish(1, 2, 3)
    await harness.run_for(handle, 5)
    assert now() == pytest.approx(25, abs=0.001)
    assert harness.outputs() == ["out/1"]
    redelivered = await harness.bus.pull("judge", 5)
    assert {(delivery.key, delivery.attempt) for delivery in redelivered} == {("in/2", 2), ("in/3", 1)}


@in_virtual_time
async def test_an_idle_stage_stops_immediately() -> None:
    harness = RunnerHarness()
    await harness.run_for(handle_immediately, 0.5)
    assert now() == pytest.approx(0.5, abs=0.001)


@in_virtual_time
async def test_a_cancelled_stage_returns_all_messages_immediately() -> None:
    harness = RunnerHarness()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(1000)
        return []

    await harness.publish(1, 2)
    running = asyncio.create_task(run(harness.stage(handle), "judge", harness.bus, harness.stop, harness.metrics))
    await asyncio.sleep(3)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert now() == pytest.approx(3, abs=0.001)
    assert len(await harness.bus.pull("judge", 5)) == 2
