"""Gateway replicas that share one model's limits in virtual time: real limiters and leases, a bucket in memory."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from libra.bus.kv_bucket import BucketEntry
from libra.core.errors import Unavailable
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
    """A `libra.bus.kv_bucket.KeyValueBucket` in memory: calls take milliseconds and fail while the server is down."""

    rng: random.Random
    entry: BucketEntry = field(default_factory=BucketEntry)
    created_at: float = -1000.0
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
        return asyncio.get_running_loop().time() - self.created_at

    def lose_data(self) -> None:
        self.entry = BucketEntry(revision=self.entry.revision + 1000)
        self.created_at = asyncio.get_running_loop().time()

    async def _travel(self) -> None:
        await asyncio.sleep(self.rng.random() * 0.01)
        if self.down:
            raise Unavailable("the server of the bucket is down")


@dataclass
class MemoryHolders:
    """The records of lease holders, as `libra.store.coordination.lease_holders` keeps them; calls take milliseconds."""

    rng: random.Random
    recorded_at: dict[str, float] = field(default_factory=dict)

    async def add(self, model: str, holder: str) -> None:
        await self._travel()
        self.recorded_at[holder] = asyncio.get_running_loop().time()
        await self._travel()

    async def has_others(self, model: str, holder: str) -> bool:
        await self._travel()
        found = any(other != holder for other in self.recorded_at)
        await self._travel()
        return found

    async def remove(self, holder: str) -> None:
        await self._travel()
        self.recorded_at.pop(holder, None)

    async def remove_all_except(self, model: str, holders: Collection[str]) -> None:
        await self._travel()
        oldest = asyncio.get_running_loop().time() - 60
        self.recorded_at = {name: at for name, at in self.recorded_at.items() if name in holders or at >= oldest}

    async def _travel(self) -> None:
        await asyncio.sleep(self.rng.random() * 0.01)


@dataclass
class CountingProvider:
    """Counts requests in flight; those of killed replicas continue."""

    in_flight: int = 0
    max_in_flight: int = 0
    starts: list[float] = field(default_factory=list)
    samples: list[tuple[float, int]] = field(default_factory=list)

    def start_request(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        self.starts.append(loop.time())
        loop.call_later(seconds, self._end)

    def _end(self) -> None:
        self.in_flight -= 1

    async def sample(self) -> None:
        while True:
            self.samples.append((asyncio.get_running_loop().time(), self.in_flight))
            await asyncio.sleep(0.1)

    def mean_in_flight(self, start: float, stop: float) -> float:
        """Return the mean number of requests in flight between two times."""
        numbers = [number for time, number in self.samples if start <= time < stop]
        return sum(numbers) / len(numbers)

    def requests_per_minute(self, start: float, stop: float) -> list[int]:
        """Return the number of requests in each minute between two times that begins at a request or a full second."""
        begins = [time for time in self.starts if start <= time < stop - 60] + list(range(int(start), int(stop) - 60))
        return [bisect_left(self.starts, begin + 60) - bisect_left(self.starts, begin) for begin in begins]


class Replica:
    """A gateway replica with callers that always wait for permits, until it is killed."""

    def __init__(self, simulation: LeaseSimulation, callers: int) -> None:
        self._simulation = simulation
        self.channel = ModelChannel(simulation.model, METRICS)
        bucket: Any = simulation.bucket  # one in memory
        self.renewer = LeaseRenewer(self.channel, bucket, TIMING, self._announce, simulation.holders)
        self.tasks = [asyncio.create_task(self.renewer.run())]
        self.start_callers(callers)

    def start_callers(self, callers: int, lane: Lane = Lane.BATCH) -> None:
        self.tasks += [asyncio.create_task(self._repeat(lane)) for _ in range(callers)]

    async def send_request(self, seconds: float, lane: Lane = Lane.INTERACTIVE) -> None:
        permit = await self.channel.limiter.acquire(lane)
        self._simulation.provider.start_request(seconds)
        await asyncio.sleep(seconds)
        self.channel.limiter.on_success()
        self.channel.limiter.release(permit)

    async def _repeat(self, lane: Lane) -> None:
        while True:
            await self.send_request(self._simulation.draw_seconds(), lane)

    async def _announce(self, model: str, holder: str) -> None:
        for replica in self._simulation.replicas:
            if replica is not self:
                replica.renewer.on_table_changed()

    def kill(self) -> None:
        if self.tasks[0].done():
            self.tasks[0].result()
        for task in self.tasks:
            task.cancel()
        self._simulation.replicas.remove(self)

    async def shut_down(self) -> None:
        """Stop the callers, let their requests end, and release the lease."""
        for task in self.tasks[1:]:
            task.cancel()
        await asyncio.sleep(30)
        self.tasks[0].cancel()
        await self.renewer.release()
        self._simulation.replicas.remove(self)


@dataclass
class LeaseSimulation:
    """One model, its provider, the lease bucket, and gateway replicas."""

    model: Model
    seed: int
    min_seconds: float = 0.5
    max_seconds: float = 1.5
    provider: CountingProvider = field(default_factory=CountingProvider)
    replicas: list[Replica] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.bucket = MemoryBucket(self.rng)
        self.holders = MemoryHolders(random.Random(self.seed))

    def draw_seconds(self) -> float:
        return self.rng.uniform(self.min_seconds, self.max_seconds)

    def add_replica(self, callers: int = 1000) -> Replica:
        replica = Replica(self, callers)
        self.replicas.append(replica)
        return replica

    def read_leases(self) -> LeaseTable:
        return LeaseTable.from_bytes(self.bucket.entry.data)

    @asynccontextmanager
    async def running(self, replicas: int, callers: int = 1000) -> AsyncIterator[None]:
        sampling = asyncio.create_task(self.provider.sample())
        for _ in range(replicas):
            self.add_replica(callers)
        try:
            yield
        finally:
            sampling.cancel()
            for replica in list(self.replicas):
                replica.kill()
