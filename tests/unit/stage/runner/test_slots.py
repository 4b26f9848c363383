"""How much a stage holds in hand: no more than its slots, for as long as the work takes or the next queue is full."""

from __future__ import annotations

import asyncio

import pytest

from libra.stage.bus import Outgoing
from libra.stage.policy import Policy
from libra.testing.hostile_bus import HostileBus
from libra.v1.batch_pb2 import TrialBatch

from .scene import OUT, Scene, answer, now, virtually


@virtually
async def test_a_full_queue_is_waited_for_and_is_no_attempt() -> None:
    scene, calls = Scene(bus=HostileBus(capacity=1), policy=Policy(attempts=1, deliveries=1)), 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal calls
        calls += 1
        return answer(trials)

    await scene.bus.publish(Outgoing(OUT, "first", b""), {})
    await scene.put(1)
    running = asyncio.create_task(scene.work(handle, 2000))
    await asyncio.sleep(1000)
    assert scene.outputs() == ["first"]
    assert scene.bus.messages("work.judge")[0].attempts == 1
    (first,) = await scene.bus.pull("ranking", 1)
    await first.ack()
    await running
    assert scene.outputs() == ["first", "out/1"]
    assert calls == 1
    assert scene.ended()


@virtually
async def test_slow_work_is_not_given_to_anybody_else() -> None:
    scene, calls = Scene(), []

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        calls.append(now())
        await asyncio.sleep(250)
        return answer(trials)

    await scene.put(1)
    await asyncio.gather(scene.work(handle, 400), scene.work(handle, 400))
    assert calls == [pytest.approx(0, abs=0.001)]


@virtually
async def test_never_more_than_the_slots_are_in_hand_and_one_slow_batch_does_not_stop_the_others() -> None:
    scene, in_hand, most = Scene(policy=Policy(slots=4)), 0, 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal in_hand, most
        in_hand += 1
        most = max(most, in_hand)
        await asyncio.sleep(200 if trials.trials[0].sample == 0 else 1)
        in_hand -= 1
        return answer(trials)

    await scene.put(*range(50))
    await scene.work(handle, 30)
    assert most == 4
    assert len(scene.outputs()) == 49
