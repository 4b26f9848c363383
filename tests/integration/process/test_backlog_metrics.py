"""One replica exports the state of the queues; another takes over when it stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from prometheus_client import CollectorRegistry

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.process import watch_backlog
from libra.stage.bus import Outgoing
from libra.store.client import Store
from libra.telemetry.metrics import Metrics

WAIT_SECONDS = 20.0


class Replica:
    """A replica of dispatch that only watches the queues."""

    def __init__(self, bus: NatsBus, store: Store) -> None:
        self.registry, self.stop = CollectorRegistry(), asyncio.Event()
        work = watch_backlog(bus, store, Metrics(self.registry), poll_seconds=0.05)
        self.task = asyncio.ensure_future(work(self.stop))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"libra_{name}", labels)

    async def end(self) -> None:
        self.stop.set()
        await self.task


@contextlib.asynccontextmanager
async def replicas(nats_url: str, store: Store) -> AsyncIterator[tuple[NatsBus, Replica, Replica]]:
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    first, second = Replica(bus, store), Replica(bus, store)
    try:
        yield bus, first, second
    finally:
        await first.end()
        await second.end()
        await bus.close()


async def wait_for_value(replica: Replica, expected: float, name: str, **labels: str) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while replica.value(name, **labels) != expected:
            await asyncio.sleep(0.02)


def exporting(*both: Replica) -> list[Replica]:
    return [replica for replica in both if replica.value("backlog", consumer="judge") is not None]


async def wait_for_one(*both: Replica) -> Replica:
    async with asyncio.timeout(WAIT_SECONDS):
        while not exporting(*both):
            await asyncio.sleep(0.02)
    return exporting(*both)[0]


async def test_only_the_holder_of_the_lease_exports_and_another_takes_over(nats_url: str, store: Store) -> None:
    async with replicas(nats_url, store) as (_, first, second):
        holder = await wait_for_one(first, second)
        other = second if holder is first else first
        await asyncio.sleep(0.3)
        assert exporting(first, second) == [holder]
        await holder.end()
        assert exporting(holder) == []
        await wait_for_value(other, 0.0, "backlog", consumer="judge")


async def test_a_queue_that_nobody_reads_grows_older(nats_url: str, store: Store) -> None:
    async with replicas(nats_url, store) as (bus, first, second):
        holder = await wait_for_one(first, second)
        for n in range(3):
            await bus.publish(Outgoing(streams.WORK_JUDGE, f"key-{n}", b"x" * 1000), {})
        await wait_for_value(holder, 3.0, "backlog", consumer="judge")
        before = holder.value("oldest_message_age_seconds", consumer="judge") or 0.0
        await asyncio.sleep(0.4)
        age = holder.value("oldest_message_age_seconds", consumer="judge") or 0.0
        assert before + 0.2 < age < WAIT_SECONDS
        assert holder.value("behind_seconds", consumer="judge") == age
        assert (holder.value("stream_bytes", stream="WORK_JUDGE") or 0) > 3000
        for delivery in await bus.pull(streams.JUDGE_CONSUMER, 3):
            await delivery.ack()
        await wait_for_value(holder, 0.0, "behind_seconds", consumer="judge")
        assert holder.value("oldest_message_age_seconds", consumer="judge") == 0


async def test_dead_letters_are_counted_by_stage(nats_url: str, store: Store) -> None:
    async with replicas(nats_url, store) as (bus, first, second):
        holder = await wait_for_one(first, second)
        await bus.publish(Outgoing(streams.dead_letter_subject("judge"), "key", b"x"), {})
        await wait_for_value(holder, 1.0, "dead_letters_stored", stage="judge")
        assert holder.value("dead_letters_stored", stage="ranking") == 0
        assert (holder.value("store_bytes") or 0) > 0
