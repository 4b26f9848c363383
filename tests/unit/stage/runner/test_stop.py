"""A stage that is told to stop finishes what it can in time, and hands back the rest."""

from __future__ import annotations

import asyncio

import pytest

from libra.core.errors import Unavailable
from libra.stage.bus import Outgoing
from libra.stage.policy import Policy
from libra.stage.runner import run
from libra.testing.hostile_bus import HostileBus
from libra.v1.batch_pb2 import TrialBatch

from .scene import OUT, Scene, answer, now, quick, virtually


@virtually
async def test_a_stop_while_waiting_for_room_hands_the_message_back() -> None:
    scene = Scene(bus=HostileBus(capacity=1))
    await scene.bus.publish(Outgoing(OUT, "first", b""), {})
    await scene.put(1)
    await scene.work(quick, 10)
    assert now() < 11
    (again,) = await scene.bus.pull("judge", 1)
    assert again.attempt == 2
    assert now() < 11


@virtually
async def test_a_stop_while_waiting_for_an_outage_hands_the_message_back() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        raise Unavailable("MongoDB is away")

    await scene.put(1)
    await scene.work(handle, 10)
    assert now() < 11
    (again,) = await scene.bus.pull("judge", 1)
    assert again.attempt == 2


@virtually
async def test_a_stop_lets_the_work_in_hand_finish_and_hands_the_rest_back() -> None:
    scene = Scene(policy=Policy(slots=2, drain_seconds=20.0))

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(10 if trials.trials[0].sample == 1 else 10_000)
        return answer(trials)

    await scene.put(1, 2, 3)
    await scene.work(handle, 5)
    assert now() == pytest.approx(25, abs=0.001)
    assert scene.outputs() == ["out/1"]
    back = await scene.bus.pull("judge", 5)
    assert {(delivery.key, delivery.attempt) for delivery in back} == {("in/2", 2), ("in/3", 1)}


@virtually
async def test_an_idle_stage_stops_at_once() -> None:
    scene = Scene()
    await scene.work(quick, 0.5)
    assert now() == pytest.approx(0.5, abs=0.001)


@virtually
async def test_a_cancelled_stage_hands_everything_back_at_once() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(1000)
        return []

    await scene.put(1, 2)
    running = asyncio.create_task(run(scene.stage(handle), "judge", scene.bus, scene.stop, scene.metrics))
    await asyncio.sleep(3)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert now() == pytest.approx(3, abs=0.001)
    assert len(await scene.bus.pull("judge", 5)) == 2
