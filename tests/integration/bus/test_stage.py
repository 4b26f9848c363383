"""A stage at work on a real nats-server."""

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
QUICK = Policy(attempts=2, delays_seconds=(0.1,), wait_seconds=0.1, drain_seconds=1.0, patience_seconds=0.3)

Handle = Callable[[TrialBatch], Awaitable[Sequence[Outgoing]]]


@dataclass
class Scene:
    bus: NatsBus
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))

    async def put(self, *samples: int) -> None:
        for sample in samples:
            header = BatchHeader(run="r", model="m", task="t@1", attack="none")
            data = TrialBatch(header=header, trials=[Trial(sample=sample)]).SerializeToString()
            await self.bus.publish(Outgoing("work.judge", f"in/{sample}", data), {})

    def work(self, handle: Handle, policy: Policy = QUICK) -> Awaitable[None]:
        stage = Stage("judge", TrialBatch.FromString, handle, policy, lambda one: ("m", len(one.trials)))
        return run(stage, "judge", self.bus, self.stop, self.metrics)

    async def outputs(self, count: int) -> list[int]:
        """Take so many outputs from the next stage's queue; the samples they tell of, in order."""
        samples: list[int] = []
        async with asyncio.timeout(SECONDS):
            while len(samples) < count:
                for delivery in await self.bus.pull("ranking", 16):
                    samples.append(int(delivery.data))
                    await delivery.ack()
        return sorted(samples)

    async def idle(self) -> None:
        """Return when nothing waits and nothing is in hand."""
        async with asyncio.timeout(SECONDS):
            while (backlog := (await self.bus.backlog())["judge"]).pending + backlog.ack_pending:
                await asyncio.sleep(0.02)


@pytest.fixture
async def scene(nats_url: str) -> AsyncIterator[Scene]:
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    yield Scene(bus)
    await bus.close()


@contextlib.asynccontextmanager
async def working(scene: Scene, handle: Handle, policy: Policy = QUICK) -> AsyncIterator[None]:
    task = asyncio.ensure_future(scene.work(handle, policy))
    try:
        yield
    finally:
        scene.stop.set()
        async with asyncio.timeout(SECONDS):
            await task


def answer(batch: TrialBatch) -> list[Outgoing]:
    sample = str(batch.trials[0].sample)
    return [Outgoing("work.ranking", f"out/{sample}", sample.encode())]


async def test_batches_go_through(scene: Scene) -> None:
    async def handle(batch: TrialBatch) -> list[Outgoing]:
        return answer(batch)

    await scene.put(*range(200))
    async with working(scene, handle):
        assert await scene.outputs(200) == list(range(200))
        await scene.idle()


async def test_every_kind_of_failure_ends_where_it_should(scene: Scene) -> None:
    tries: dict[int, int] = {}

    async def handle(batch: TrialBatch) -> list[Outgoing]:
        sample = batch.trials[0].sample
        tries[sample] = tries.get(sample, 0) + 1
        match sample:
            case 1:
                raise Reject("never")
            case 2:
                raise RuntimeError("a bug")
            case 3 if tries[sample] == 1:
                raise Retry("busy", after_seconds=0.0)
            case 4 if tries[sample] <= 20:
                raise Unavailable("MongoDB is away")  # twenty times, across a renewal or more
        return answer(batch)

    await scene.put(1, 2, 3, 4, 5)
    await scene.bus.publish(Outgoing("work.judge", "in/garbage", b"\xff\xff"), {})
    async with working(scene, handle):
        assert await scene.outputs(3) == [3, 4, 5]
        await scene.idle()
    letters = {letter.key: letter for letter in await DeadLetters(scene.bus).list(0, 10)}
    assert letters.keys() == {"in/1", "in/2", "in/garbage"}
    assert letters["in/1"].reason == "never"
    assert "a bug (given up after 2 attempts)" in letters["in/2"].reason
    assert "cannot be decoded" in letters["in/garbage"].reason
    assert {letter.subject for letter in letters.values()} == {"work.judge"}


async def test_a_replayed_letter_is_handled_like_any_other(scene: Scene) -> None:
    broken = True

    async def handle(batch: TrialBatch) -> list[Outgoing]:
        if broken:
            raise Reject("a judge that is not there yet")
        return answer(batch)

    await scene.put(7)
    async with working(scene, handle):
        await scene.idle()
        broken = False
        assert await DeadLetters(scene.bus).replay(1) == "work.judge"
        assert await scene.outputs(1) == [7]


async def test_a_stop_lets_work_finish_and_hands_back_what_does_not(scene: Scene) -> None:
    begun: set[int] = set()
    both = asyncio.Event()

    async def handle(batch: TrialBatch) -> list[Outgoing]:
        sample = batch.trials[0].sample
        begun.add(sample)
        if begun == {1, 2}:
            both.set()
        await asyncio.sleep(0.3 if sample == 1 else 1000)
        return answer(batch)

    await scene.put(1, 2)
    async with working(scene, handle):
        assert await wait_until_set(both, SECONDS)
    assert await scene.outputs(1) == [1]
    async with asyncio.timeout(5):  # at once, not after AckWait
        (again,) = await scene.bus.pull("judge", 4)
    assert (again.key, again.attempt) == ("in/2", 2)


async def test_an_idle_stage_stops_at_once_and_leaves_no_request_behind(scene: Scene) -> None:
    async def handle(batch: TrialBatch) -> list[Outgoing]:
        return answer(batch)

    async with asyncio.timeout(1.5), working(scene, handle):
        await asyncio.sleep(0.3)
    await scene.put(1)
    assert [delivery.attempt for delivery in await scene.bus.pull("judge", 4)] == [1]
