"""The number of attempts for a message, and dead letters after the last one."""

from __future__ import annotations

import asyncio

import pytest

from libra.stage.bus import Outgoing
from libra.stage.errors import Reject, Retry
from libra.stage.policy import Policy
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import TrialBatch

from .runner_harness import RunnerHarness, batch, handle_immediately, in_virtual_time, now, output


@in_virtual_time
async def test_outputs_are_published_and_their_message_acknowledged() -> None:
    harness = RunnerHarness()
    await harness.publish(1, 2, 3)
    await harness.run_for(handle_immediately, 5)
    assert harness.outputs() == ["out/1", "out/2", "out/3"]
    assert harness.all_settled()
    assert not harness.dead_letters()
    assert harness.count("stage_batches_total", outcome="done") == 3
    assert harness.count("stage_trials_total", model="m") == 3
    assert harness.count("stage_in_hand") == 0
    assert harness.count("stage_seconds_count") == 3


@in_virtual_time
async def test_a_retry_is_redelivered_after_its_own_delay_or_that_of_the_policy() -> None:
    harness, times = RunnerHarness(policy=Policy(delays_seconds=(3.0, 7.0))), []

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        times.append(round(now()))
        match len(times):
            case 1:
                raise Retry("busy")
            case 2:
                raise Retry("busy", after_seconds=11.0)
            case 3:
                raise Retry("busy", after_seconds=0.0)
        return output(trials)

    await harness.publish(1)
    await harness.run_for(handle, 60)
    assert times == [0, 3, 14, 14]
    assert harness.outputs() == ["out/1"]
    assert harness.count("stage_batches_total", outcome="retried") == 3
    assert harness.count("stage_redeliveries_total") == 3


@pytest.mark.parametrize("fault", [Retry("busy"), RuntimeError("a bug")], ids=["retry", "bug"])
def test_a_message_is_dead_lettered_after_its_last_attempt(fault: Exception) -> None:
    async def test() -> None:
        harness, calls = RunnerHarness(policy=Policy(attempts=3, delays_seconds=(1.0,))), 0

        async def handle(trials: TrialBatch) -> list[Outgoing]:
            nonlocal calls
            calls += 1
            raise fault

        await harness.publish(1)
        await harness.run_for(handle, 60)
        assert calls == 3
        assert harness.all_settled()
        (letter,) = harness.dead_letters()
        assert str(fault) in letter["Libra-Reason"]
        assert "3 attempts" in letter["Libra-Reason"]
        assert letter["Libra-Subject"] == "work.judge"
        assert letter["Libra-Key"] == "in/1"
        assert letter["Libra-Attempts"] == "3"
        assert harness.bus.messages("dead.judge")[0].outgoing.data == batch(1)
        assert harness.count("dead_letters_total") == 1

    simulate(test())


@in_virtual_time
async def test_a_rejected_message_is_dead_lettered_immediately_and_others_are_handled() -> None:
    harness = RunnerHarness()

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if trials.trials[0].sample == 2:
            raise Reject("never")
        return output(trials)

    await harness.publish(1, 2, 3)
    await harness.run_for(handle, 5)
    assert harness.outputs() == ["out/1", "out/3"]
    assert [letter["Libra-Reason"] for letter in harness.dead_letters()] == ["never"]
    assert harness.count("stage_batches_total", outcome="rejected") == 1


@in_virtual_time
async def test_an_undecodable_message_is_dead_lettered_and_the_stage_continues() -> None:
    harness = RunnerHarness()
    await harness.publish(1, data=b"\xff\xff no protobuf")
    await harness.publish(2)
    await harness.run_for(handle_immediately, 5)
    assert harness.outputs() == ["out/2"]
    (letter,) = harness.dead_letters()
    assert "cannot be decoded" in letter["Libra-Reason"]


@in_virtual_time
async def test_a_handler_past_its_deadline_is_a_bug() -> None:
    harness = RunnerHarness(policy=Policy(attempts=2, deadline_seconds=40.0, delays_seconds=(1.0,)))

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        await asyncio.sleep(1000)
        return []

    await harness.publish(1)
    await harness.run_for(handle, 200)
    (letter,) = harness.dead_letters()
    assert "after 40 s" in letter["Libra-Reason"]


@in_virtual_time
async def test_a_message_that_always_crashes_its_process_is_dead_lettered() -> None:
    harness = RunnerHarness(policy=Policy(attempts=2, deliveries=4))
    await harness.publish(1)
    for _ in range(4):  # processes that crash while they handle the message
        await harness.bus.pull("judge", 1)
        await asyncio.sleep(31)
    await harness.run_for(handle_immediately, 5)
    assert harness.outputs() == []
    (letter,) = harness.dead_letters()
    assert "delivered 5 times" in letter["Libra-Reason"]


@in_virtual_time
async def test_crashes_during_other_deliveries_do_not_use_up_attempts() -> None:
    harness, calls = RunnerHarness(policy=Policy(attempts=2, deliveries=10, delays_seconds=(1.0,))), 0

    async def handle(trials: TrialBatch) -> list[Outgoing]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise Retry("busy")
        return output(trials)

    await harness.publish(1)
    for _ in range(6):
        await harness.bus.pull("judge", 1)
        await asyncio.sleep(31)
    await harness.run_for(handle, 20)
    assert harness.outputs() == ["out/1"]
