"""Replicas of a gateway that share one model's limits in virtual time: real limiters and leases, a bucket in memory."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from libra.bus.kv_bucket import BucketEntry
from libra.errors import Unavailable
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannel
from libra.gateway.quota.lease import LeaseTable
from libra.gateway.quota.lease_renewer import LeaseRenewer, LeaseTiming
from libra.gateway.settings import Settings
from libra.telemetry.metrics import Metrics
from libra.v1.model_pb2 import Model

TIMING = LeaseTiming(Settings().renew_seconds)
METRICS = Metrics(CollectorRegistry())


@dataclass
class MemoryBucket:
    """Like `libra.bus.kv_bucket.KeyValueBucket`: a call takes some milliseconds, and fails while the server is away."""

    dice: random.Random
    entry: BucketEntry = field(default_factory=BucketEntry)
    made_at: float = -1000.0
    down: bool = False

    async def read(self, name: str) -> BucketEntry:
        await self._travel()
        found = self.entry
        await self._travel()
        return found

    async def write(self, name: str, data: bytes, revision: int) -> int | None:
        await self._travel()
        if revision != self.entry.revision:
            return None
        self.entry = BucketEntry(data, revision + 1)
        await self._travel()
        return self.entry.revision

    async def age_seconds(self) -> float:
        await self._travel()
        return asyncio.get_running_loop().time() - self.made_at

    def lose(self) -> None:
        self.entry, self.made_at = BucketEntry(revision=self.entry.revision + 1000), asyncio.get_running_loop().time()

    async def _travel(self) -> None:
        await asyncio.sleep(self.dice.random() * 0.01)
        if self.down:
            raise Unavailable("the server of the bucket is away")


@dataclass
class Provider:
    """Counts requests, and continues those of replicas that were killed."""

    in_flight: int = 0
    most_in_flight: int = 0
    starts: list[float] = field(default_factory=list)
    levels: list[tuple[float, int]] = field(default_factory=list)

    def ask(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.starts.append(loop.time())
        loop.call_later(seconds, self._end)

    def _end(self) -> None:
        self.in_flight -= 1

    async def watch(self) -> None:
        while True:
            self.levels.append((asyncio.get_running_loop().time(), self.in_flight))
            await asyncio.sleep(0.1)

    def mean(self, start: float, stop: float) -> float:
        """Return the mean number of requests in flight between two times."""
        levels = [level for time, level in self.levels if start <= time < stop]
        return sum(levels) / len(levels)

    def minutes(self, start: float, stop: float) -> list[int]:
        """Return how many requests began in each minute between two times, from a request or a full second on."""
        begins = [time for time in self.starts if start <= time < stop - 60] + list(range(int(start), int(stop) - 60))
        return [bisect_left(self.starts, begin + 60) - bisect_left(self.starts, begin) for begin in begins]


class Replica:
    """A gateway that always has requests waiting, until it is killed."""

    def __init__(self, world: World, callers: int) -> None:
        self._world = world
        self.channel = ModelChannel(world.model, METRICS)
        self.renewer = LeaseRenewer(self.channel, world.bucket, TIMING, self._announce)  # type: ignore[arg-type]  # a bucket in memory
        self.tasks = [asyncio.create_task(self.renewer.run())]
        self.call(callers)

    def call(self, callers: int, lane: Lane = Lane.BATCH) -> None:
        self.tasks += [asyncio.create_task(self._repeat(lane)) for _ in range(callers)]

    async def once(self, seconds: float, lane: Lane = Lane.INTERACTIVE) -> None:
        permit = await self.channel.limiter.acquire(lane)
        self._world.provider.ask(seconds)
        await asyncio.sleep(seconds)
        self.channel.limiter.on_success()
        self.channel.limiter.release(permit)

    async def _repeat(self, lane: Lane) -> None:
        while True:
            await self.once(self._world.seconds(), lane)

    async def _announce(self, model: str, holder: str) -> None:
        for replica in self._world.replicas:
            if replica is not self:
                replica.renewer.on_table_changed()

    def kill(self) -> None:
        if self.tasks[0].done():
            self.tasks[0].result()
        for task in self.tasks:
            task.cancel()
        self._world.replicas.remove(self)

    async def leave(self) -> None:
        """Stop cleanly, without requests in flight."""
        for task in self.tasks[1:]:
            task.cancel()
        await asyncio.sleep(30)
        self.tasks[0].cancel()
        await self.renewer.release()
        self._world.replicas.remove(self)


@dataclass
class World:
    """One model, one provider, one bucket, and replicas."""

    model: Model
    seed: int
    fastest: float = 0.5
    slowest: float = 1.5
    provider: Provider = field(default_factory=Provider)
    replicas: list[Replica] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.bucket = MemoryBucket(self.dice)

    def seconds(self) -> float:
        return self.dice.uniform(self.fastest, self.slowest)

    def add(self, callers: int = 1000) -> Replica:
        replica = Replica(self, callers)
        self.replicas.append(replica)
        return replica

    def table(self) -> LeaseTable:
        return LeaseTable.from_bytes(self.bucket.entry.data)

    @asynccontextmanager
    async def running(self, replicas: int, callers: int = 1000) -> AsyncIterator[None]:
        watching = asyncio.create_task(self.provider.watch())
        for _ in range(replicas):
            self.add(callers)
        try:
            yield
        finally:
            watching.cancel()
            for replica in list(self.replicas):
                replica.kill()
