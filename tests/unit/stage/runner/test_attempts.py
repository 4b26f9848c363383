"""How often a message is tried, and what becomes of one that was tried in vain."""

from __future__ import annotations

import asyncio

import pytest

from libra.stage.bus import Outgoing
from libra.stage.errors import Reject, Retry
from libra.stage.policy import Policy
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import TrialBatch

from .scene import Scene, answer, batch, now, quick, virtually


@virtually
async def test_what_is_handled_is_published_and_then_acknowledged() -> None:
    scene = Scene()
    await scene.put(1, 2, 3)
    await scene.work(quick, 5)
    assert scene.outputs() == ["out/1", "out/2", "out/3"]
    assert scene.ended()
    assert not scene.dead()
    assert scene.count("stage_batches_total", outcome="done") == 3
    assert scene.count("stage_trials_total", model="m") == 3
    assert scene.count("stage_in_hand") == 0
    assert scene.count("stage_seconds_count") == 3


@virtually
async def test_retry_comes_back_after_its_own_time_or_the_tables() -> None:
    scene, times = Scene(policy=Policy(delays_seconds=(3.0, 7.0))), []

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        times.append(round(now()))
        match len(times):
            case 1:
                raise Retry("busy")
            case 2:
                raise Retry("busy", after_seconds=11.0)
            case 3:
                raise Retry("busy", after_seconds=0.0)
        return answer(trials)

    await scene.put(1)
    await scene.work(handle, 60)
    assert times == [0, 3, 14, 14]
    assert scene.outputs() == ["out/1"]
    assert scene.count("stage_batches_total", outcome="retried") == 3
    assert scene.count("stage_redeliveries_total") == 3


@pytest.mark.parametrize("fault", [Retry("busy"), RuntimeError("a bug")], ids=["retry", "bug"])
def test_the_last_attempt_leads_to_the_dead_letters(fault: Exception) -> None:
    async def test() -> None:
        scene, calls = Scene(policy=Policy(attempts=3, delays_seconds=(1.0,))), 0

        async def handle(trials: TrialBatch) -> list[Outgoing]:
            nonlocal calls
            calls += 1
            raise fault

        await scene.put(1)
        await scene.work(handle, 60)
        assert calls == 3
        assert scene.ended()
        (letter,) = scene.dead()
        assert str(fault) in letter["Libra-Reason"]
        assert "3 attempts" in letter["Libra-Reason"]
        assert letter["Libra-Subject"] == "work.judge"
        assert letter["Libra-Key"] == "in/1"
        assert letter["Libra-Attempts"] == "3"
        assert scene.bus.messages("dead.judge")[0].outgoing.data == batch(1)
        assert scene.count("dead_letters_total") == 1

    simulate(test())


@virtually
async def test_reject_is_set_aside_at_once_and_costs_its_neighbours_nothing() -> None:
    scene = Scene()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if trials.trials[0].sample == 2:
            raise Reject("never")
        return answer(trials)

    await scene.put(1, 2, 3)
    await scene.work(handle, 5)
    assert scene.outputs() == ["out/1", "out/3"]
    assert [letter["Libra-Reason"] for letter in scene.dead()] == ["never"]
    assert scene.count("stage_batches_total", outcome="rejected") == 1


@virtually
async def test_what_cannot_be_decoded_is_set_aside_and_the_stage_goes_on() -> None:
    scene = Scene()
    await scene.put(1, data=b"\xff\xff no protobuf")
    await scene.put(2)
    await scene.work(quick, 5)
    assert scene.outputs() == ["out/2"]
    (letter,) = scene.dead()
    assert "cannot be decoded" in letter["Libra-Reason"]


@virtually
async def test_a_handler_past_its_deadline_is_a_bug() -> None:
    scene = Scene(policy=Policy(attempts=2, deadline_seconds=40.0, delays_seconds=(1.0,)))

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(1000)
        return []

    await scene.put(1)
    await scene.work(handle, 200)
    (letter,) = scene.dead()
    assert "after 40 s" in letter["Libra-Reason"]


@virtually
async def test_a_message_that_ends_its_process_every_time_is_set_aside() -> None:
    scene = Scene(policy=Policy(attempts=2, deliveries=4))
    await scene.put(1)
    for _ in range(4):  # processes that die with the message in hand say nothing more
        await scene.bus.pull("judge", 1)
        await asyncio.sleep(31)
    await scene.work(quick, 5)
    assert scene.outputs() == []
    (letter,) = scene.dead()
    assert "delivered 5 times" in letter["Libra-Reason"]


@virtually
async def test_a_message_that_lived_through_crashes_of_others_has_its_attempts() -> None:
    scene, calls = Scene(policy=Policy(attempts=2, deliveries=10, delays_seconds=(1.0,))), 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise Retry("busy")
        return answer(trials)

    await scene.put(1)
    for _ in range(6):
        await scene.bus.pull("judge", 1)
        await asyncio.sleep(31)
    await scene.work(handle, 20)
    assert scene.outputs() == ["out/1"]
