"""A stage runs on a real nats-server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from libra.bus.dead_letters import DeadLetters
from libra.bus.nats_bus import NatsBus
from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject, Retry
from libra.stage.policy import Policy
from libra.stage.runner import Stage, run
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch

SECONDS = 20.0
SHORT_DELAYS = Policy(attempts=2, delays_seconds=(0.1,), wait_seconds=0.1, drain_seconds=1.0, patience_seconds=0.3)

Handle = Callable[[TrialBatch], Awaitable[Sequence[Outgoing]]]


@dataclass
class StageHarness:
    """A stage on the bus, its messages and its outputs."""

    bus: NatsBus
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))

    async def publish(self, *samples: int) -> None:
        for sample in samples:
            header = BatchHeader(run="r", model="m", task="t@1", attack="none")
            data = TrialBatch(header=header, trials=[Trial(sample=sample)]).SerializeToString()
            await self.bus.publish(Outgoing("work.judge", f"in/{sample}", data), {})

    def run_stage(self, handle: Handle, policy: Policy = SHORT_DELAYS) -> Awaitable[None]:
        stage = Stage("judge", TrialBatch.FromString, handle, policy, lambda one: ("m", len(one.trials)))
        return run(stage, "judge", self.bus, self.stop, self.metrics)

    async def pull_outputs(self, count: int) -> list[int]:
        """Pull this many outputs from the next stage's queue; return their samples in order."""
        samples: list[int] = []
        async with asyncio.timeout(SECONDS):
            while len(samples) < count:
                for delivery in await self.bus.pull("ranking", 16):
                    samples.append(int(delivery.data))
                    await delivery.ack()
        return sorted(samples)

    async def wait_until_idle(self) -> None:
        """Return when no message is waiting or unsettled."""
        async with asyncio.timeout(SECONDS):
            while (backlog := (await self.bus.backlog())["judge"]).pending + backlog.ack_pending:
                await asyncio.sleep(0.02)


@pytest.fixture
async def harness(nats_url: str) -> AsyncIterator[StageHarness]:
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    yield StageHarness(bus)
    await bus.close()


@contextlib.asynccontextmanager
async def running_stage(harness: StageHarness, handle: Handle, policy: Policy = SHORT_DELAYS) -> AsyncIterator[None]:
    task = asyncio.ensure_future(harness.run_stage(handle, policy))
    try:
        yield
    finally:
        harness.stop.set()
        async with asyncio.timeout(SECONDS):
            await task


def output(batch: TrialBatch) -> list[Outgoing]:
    sample = str(batch.trials[0].sample)
    return [Outgoing("work.ranking", f"out/{sample}", sample.encode())]


async def test_batches_pass_through_the_stage(harness: StageHarness) -> None:
    async def handle(batch: TrialBatch) -> list[Outgoing]:
        return output(batch)

    await harness.publish(*range(200))
    async with running_stage(harness, handle):
        assert await harness.pull_outputs(200) == list(range(200))
        await harness.wait_until_idle()


async def test_each_kind_of_failure_is_handled(harness: StageHarness) -> None:
    attempts: dict[int, int] = {}

    async def handle(batch: TrialBatch) -> list[Outgoing]:
        sample = batch.trials[0].sample
        attempts[sample] = attempts.get(sample, 0) + 1
        match sample:
            case 1:
                raise Reject("never")
            case 2:
                raise RuntimeError("a bug")
            case 3 if attempts[sample] == 1:
                raise Retry("busy", after_seconds=0.0)
            case 4 if attempts[sample] <= 20:
                raise Unavailable("MongoDB is down")  # twenty times, longer than one extension of the ack deadline
        return output(batch)

    await harness.publish(1, 2, 3, 4, 5)
    await harness.bus.publish(Outgoing("work.judge", "in/garbage", b"\xff\xff"), {})
    async with running_stage(harness, handle):
        assert await harness.pull_outputs(3) == [3, 4, 5]
        await harness.wait_until_idle()
    letters = {letter.key: letter for letter in await DeadLetters(harness.bus).list(0, 10)}
    assert letters.keys() == {"in/1", "in/2", "in/garbage"}
    assert letters["in/1"].reason == "never"
    assert "a bug (given up after 2 attempts)" in letters["in/2"].reason
    assert "cannot be decoded" in letters["in/garbage"].reason
    assert {letter.subject for letter in letters.values()} == {"work.judge"}


async def test_a_replayed_letter_is_handled_as_a_new_message(harness: StageHarness) -> None:
    judge_missing = True

    async def handle(batch: TrialBatch) -> list[Outgoing]:
        if judge_missing:
            raise Reject("the judge does not exist yet")
        return output(batch)

    await harness.publish(7)
    async with running_stage(harness, handle):
        await harness.wait_until_idle()
        judge_missing = False
        assert await DeadLetters(harness.bus).replay(1) == "work.judge"
        assert await harness.pull_outputs(1) == [7]


async def test_a_stop_lets_work_finish_and_redelivers_the_rest(harness: StageHarness) -> None:
    started: set[int] = set()
    both = asyncio.Event()

    async def handle(batch: TrialBatch) -> list[Outgoing]:
        sample = batch.trials[0].sample
        started.add(sample)
        if started == {1, 2}:
            both.set()
        await asyncio.sleep(0.3 if sample == 1 else 1000)
        return output(batch)

    await harness.publish(1, 2)
    async with running_stage(harness, handle):
        assert await wait_until_set(both, SECONDS)
    assert await harness.pull_outputs(1) == [1]
    async with asyncio.timeout(5):  # immediately, not after the ack wait
        (again,) = await harness.bus.pull("judge", 4)
    assert (again.key, again.attempt) == ("in/2", 2)


async def test_an_idle_stage_stops_immediately_and_leaves_no_pull_request(harness: StageHarness) -> None:
    async def handle(batch: TrialBatch) -> list[Outgoing]:
        return output(batch)

    async with asyncio.timeout(1.5), running_stage(harness, handle):
        await asyncio.sleep(0.3)
    await harness.publish(1)
    assert [delivery.attempt for delivery in await harness.bus.pull("judge", 4)] == [1]
