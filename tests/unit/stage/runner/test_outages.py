"""An outage of a store, a peer or the bus only delays work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from libra.core.errors import Unavailable
from libra.stage.bus import Outgoing
from libra.stage.errors import Retry
from libra.stage.policy import Policy
from libra.testing.hostile_bus import HostileBus, HostileDelivery
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import TrialBatch

from .runner_harness import RunnerHarness, handle_immediately, in_virtual_time, now, output


@pytest.mark.parametrize("seconds", [30, 3600])
def test_no_outage_of_any_length_causes_dead_letters(seconds: int) -> None:
    async def test() -> None:
        harness = RunnerHarness(policy=Policy(attempts=2, deliveries=3, wait_seconds=5.0))

        async def handle(trials: TrialBatch) -> list[Outgoing]:
            if now() < seconds:
                raise Unavailable("MongoDB is down")
            return output(trials)

        await harness.publish(*range(40))
        await harness.run_for(handle, seconds + 120)
        assert sorted(harness.outputs()) == sorted(f"out/{n}" for n in range(40))
        assert not harness.dead_letters()
        assert harness.all_settled()

    simulate(test())


@in_virtual_time
async def test_a_stage_keeps_its_message_during_a_short_outage() -> None:
    harness = RunnerHarness()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if now() < 50:
            raise Unavailable("MongoDB is down")
        return output(trials)

    await harness.publish(1)
    await harness.run_for(handle, 60)
    assert harness.bus.messages("work.judge")[0].attempts == 1
    assert len(harness.bus.messages("work.judge")) == 1


@in_virtual_time
async def test_after_an_outage_a_message_still_has_all_its_attempts() -> None:
    harness = RunnerHarness(policy=Policy(attempts=3, deliveries=4, delays_seconds=(1.0,)))
    failures = 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal failures
        if 10 < now() < 3600:
            raise Unavailable("MongoDB is down")
        failures += 1
        raise Retry("busy", after_seconds=20.0)

    await harness.publish(1)
    await harness.run_for(handle, 5000)
    assert failures == 3  # one before the outage, and the two remaining attempts
    (letter,) = harness.dead_letters()
    assert letter["Libra-Key"] == "in/1"
    assert letter["Libra-Subject"] == "work.judge"


@in_virtual_time
async def test_an_outage_that_concerns_some_batches_does_not_block_the_others_forever() -> None:
    harness = RunnerHarness(policy=Policy(slots=2))

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if trials.trials[0].sample < 5:
            raise Unavailable("no model judge")
        return output(trials)

    await harness.publish(*range(8))
    await harness.run_for(handle, 400)
    assert harness.outputs() == ["out/5", "out/6", "out/7"]
    assert not harness.dead_letters()
    assert len(harness.bus.unsettled()) == 5 + 3  # the waiting messages, and the outputs that no consumer pulls


@in_virtual_time
async def test_a_stage_continues_after_an_outage_of_the_bus() -> None:
    harness = RunnerHarness()
    await harness.publish(1)
    harness.bus.down = True
    running = asyncio.create_task(harness.run_for(handle_immediately, 500))
    await asyncio.sleep(300)
    harness.bus.down = False
    await running
    assert harness.outputs() == ["out/1"]


@in_virtual_time
async def test_an_outage_of_the_bus_while_a_batch_is_handled_loses_nothing() -> None:
    harness = RunnerHarness()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(10)
        return output(trials)

    await harness.publish(1)
    running = asyncio.create_task(harness.run_for(handle, 600))
    await asyncio.sleep(5)
    harness.bus.down = True
    await asyncio.sleep(300)
    harness.bus.down = False
    await running
    assert harness.outputs() == ["out/1"]
    assert harness.all_settled()
    assert not harness.dead_letters()


class BrokenBus(HostileBus):
    """A bus whose first pull fails on a bug."""

    broken = False

    async def pull(self, consumer: str, limit: int) -> Sequence[HostileDelivery]:
        if not self.broken:
            self.broken = True
            raise RuntimeError("a bug in the bus")
        return await super().pull(consumer, limit)


@in_virtual_time
async def test_a_stage_continues_after_a_bug_of_the_bus() -> None:
    harness = RunnerHarness(bus=BrokenBus())
    await harness.publish(1)
    await harness.run_for(handle_immediately, 5)
    assert harness.outputs() == ["out/1"]
