"""An outage of a store, a peer or the bus costs time, and nothing else."""

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

from .scene import Scene, answer, now, quick, virtually


@pytest.mark.parametrize("seconds", [30, 3600, 10_000])
def test_an_outage_of_any_length_leads_to_no_dead_letter(seconds: int) -> None:
    async def test() -> None:
        scene = Scene(policy=Policy(attempts=2, deliveries=3, wait_seconds=5.0))

        async def handle(trials: TrialBatch) -> list[Outgoing]:
            if now() < seconds:
                raise Unavailable("MongoDB is away")
            return answer(trials)

        await scene.put(*range(40))
        await scene.work(handle, seconds + 120)
        assert sorted(scene.outputs()) == sorted(f"out/{n}" for n in range(40))
        assert not scene.dead()
        assert scene.ended()

    simulate(test())


@virtually
async def test_a_short_outage_is_waited_for_with_the_message_in_hand() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if now() < 50:
            raise Unavailable("MongoDB is away")
        return answer(trials)

    await scene.put(1)
    await scene.work(handle, 60)
    assert scene.bus.messages("work.judge")[0].attempts == 1
    assert len(scene.bus.messages("work.judge")) == 1


@virtually
async def test_after_an_outage_a_message_still_has_all_its_attempts() -> None:
    scene = Scene(policy=Policy(attempts=3, deliveries=4, delays_seconds=(1.0,)))
    failures = 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal failures
        if 10 < now() < 3600:
            raise Unavailable("MongoDB is away")
        failures += 1
        raise Retry("busy", after_seconds=20.0)

    await scene.put(1)
    await scene.work(handle, 5000)
    assert failures == 3  # one before the outage, and the two that were left
    (letter,) = scene.dead()
    assert letter["Libra-Key"] == "in/1"
    assert letter["Libra-Subject"] == "work.judge"


@virtually
async def test_an_outage_of_what_one_batch_needs_does_not_hold_up_the_others_for_good() -> None:
    scene = Scene(policy=Policy(slots=2))

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if trials.trials[0].sample < 5:
            raise Unavailable("no model judge")
        return answer(trials)

    await scene.put(*range(8))
    await scene.work(handle, 400)
    assert scene.outputs() == ["out/5", "out/6", "out/7"]
    assert not scene.dead()
    assert len(scene.bus.unsettled()) == 5 + 3  # the waiting, and the outputs that nobody reads


@virtually
async def test_the_stage_outlives_its_bus() -> None:
    scene = Scene()
    await scene.put(1)
    scene.bus.down = True
    running = asyncio.create_task(scene.work(quick, 500))
    await asyncio.sleep(300)
    scene.bus.down = False
    await running
    assert scene.outputs() == ["out/1"]


@virtually
async def test_a_bus_that_goes_away_while_a_batch_is_handled_costs_no_more_than_time() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(10)
        return answer(trials)

    await scene.put(1)
    running = asyncio.create_task(scene.work(handle, 600))
    await asyncio.sleep(5)
    scene.bus.down = True
    await asyncio.sleep(300)
    scene.bus.down = False
    await running
    assert scene.outputs() == ["out/1"]
    assert scene.ended()
    assert not scene.dead()


class Breaking(HostileBus):
    """A bus whose pull has a bug, once."""

    broken = False

    async def pull(self, consumer: str, limit: int) -> Sequence[HostileDelivery]:
        if not self.broken:
            self.broken = True
            raise RuntimeError("a bug in the bus")
        return await super().pull(consumer, limit)


@virtually
async def test_the_stage_outlives_a_bug_of_its_bus() -> None:
    scene = Scene(bus=Breaking())
    await scene.put(1)
    await scene.work(quick, 5)
    assert scene.outputs() == ["out/1"]
