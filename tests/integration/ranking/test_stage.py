"""The stage with a real queue and a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.ranking_world import batch, failed, section

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.ranking.run_event_publisher import RunEventPublisher
from libra.ranking.settings import Settings
from libra.ranking.stage import commit_observer, stage, write_verdicts
from libra.stage.batch import content_key
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject
from libra.stage.runner import run
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import VerdictBatch
from libra.v1.verdict_pb2 import Outcome

RUN, PART = "01JZ0000000000000000000000", section("harm@1", 128)
SETTINGS = Settings(signal_seconds=0.05)


@dataclass
class World:
    store: Store
    bus: NatsBus
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    signals: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def send(self, *batches: VerdictBatch, copy: int = 0) -> None:
        for one in batches:
            data = one.SerializeToString(deterministic=True)
            await self.bus.publish(Outgoing(streams.WORK_RANKING, f"{copy}{content_key('verdicts', data)}", data), {})

    async def wait_until_written(self, count: int) -> None:
        async with asyncio.timeout(20):
            while sum(cell.total for cell in await self.store.cells.list_for_runs([RUN])) < count:
                await asyncio.sleep(0.02)

    async def wait_until_idle(self) -> None:
        async with asyncio.timeout(20):
            while (left := (await self.bus.backlog())[streams.RANKING_CONSUMER]).pending + left.ack_pending:
                await asyncio.sleep(0.02)

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"libra_{name}", labels) or 0.0


@pytest.fixture
async def world(nats_url: str, store: Store) -> AsyncIterator[World]:
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    new_world = World(store, bus)
    metrics, stop = Metrics(new_world.registry), asyncio.Event()
    store.verdicts.add_observer(commit_observer(metrics))
    publisher = RunEventPublisher(bus.signal, SETTINGS.signal_seconds)

    async def receive_signals() -> None:
        async for subject, _ in bus.listen(streams.event_run("*")):
            new_world.signals.put_nowait(subject)

    receiving = asyncio.create_task(receive_signals())
    working = [
        asyncio.create_task(
            run(stage(store, publisher.mark_changed, SETTINGS), streams.RANKING_CONSUMER, bus, stop, metrics)
        ),
        asyncio.create_task(publisher.run(stop)),
    ]
    yield new_world
    stop.set()
    async with asyncio.timeout(20):
        await asyncio.gather(*working)
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)
    await bus.close()


async def test_verdicts_are_written_counted_and_signalled(world: World) -> None:
    await world.send(batch(RUN, PART, [1, 0, None]), failed(RUN, PART, [3, 4]))
    await world.wait_until_written(5)
    async with asyncio.timeout(10):
        assert await world.signals.get() == streams.event_run(RUN)
    assert world.counted("verdicts_written_total", model="one", outcome="scored") == 2
    assert world.counted("verdicts_written_total", model="one", outcome="unjudged") == 1
    assert world.counted("verdicts_written_total", model="one", outcome="failed") == 2
    assert world.counted("commit_seconds_count") >= 1


async def test_a_repeated_batch_changes_nothing_and_is_counted(world: World) -> None:
    batches = [batch(RUN, PART, [1, 0] * 32, first=start) for start in (0, 64)]
    await world.send(*batches)
    await world.wait_until_written(128)
    before = await world.store.cells.list_for_runs([RUN])
    await world.send(*batches, *batches, copy=1)
    await world.send(*batches, copy=2)
    await world.wait_until_idle()
    assert await world.store.cells.list_for_runs([RUN]) == before
    assert world.counted("verdicts_repeated_total") == 256
    assert world.counted("verdicts_written_total", model="one", outcome="scored") == 128


async def test_a_batch_that_can_never_be_written_is_dead_lettered_and_others_are_not(world: World) -> None:
    bad = batch(RUN, PART, [1])
    bad.verdicts[0].outcome = Outcome.OUTCOME_UNSPECIFIED
    await world.send(bad, batch(RUN, PART, [1, 1]))
    await world.wait_until_written(2)
    await world.wait_until_idle()
    assert world.counted("dead_letters_total", stage="ranking") == 1


async def test_only_new_verdicts_mark_a_run_and_a_bad_batch_is_rejected(store: Store) -> None:
    changed: list[str] = []
    await write_verdicts(batch(RUN, PART, [1]), store, changed.append)
    await write_verdicts(batch(RUN, PART, [1]), store, changed.append)
    assert changed == [RUN]
    bad = batch("", PART, [1])
    with pytest.raises(Reject, match="the batch's run is ''"):
        await write_verdicts(bad, store, changed.append)
