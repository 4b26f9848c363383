"""Export the state of every queue, and the disk space of the servers, as gauges.

The numbers are the servers' and not a replica's. So one replica reads them, the one that holds a lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable

from prometheus_client import Gauge
from ulid import ULID

from libra.bus.nats_bus import Backlog, NatsBus
from libra.bus.queue_state import count_dead_letters, read_oldest_time, read_stream_sizes
from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.process.context import Worker
from libra.process.drain_rate import DrainRate
from libra.store.client import Store
from libra.telemetry.metrics import Metrics

POLL_SECONDS = 5.0
LEASE_POLLS = 4
"""A lease that is not renewed for this many polls expires."""

TASK = "queue_metrics"
"""The name of the lease."""

STAGES = ("attack", "writing", "gateway", "judge", "ranking")
"""The stages whose dead letters are shown as 0 if there are none."""


def watch_backlog(bus: NatsBus, store: Store, metrics: Metrics, *, poll_seconds: float = POLL_SECONDS) -> Worker:
    """Return the worker that updates the gauges of queues and disks, in the one replica that holds the lease."""
    watcher = BacklogWatcher(bus, store, metrics)
    holder, lease_seconds = str(ULID()), poll_seconds * LEASE_POLLS

    async def work(stop: asyncio.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(Unavailable):  # readiness reports the outage; the gauges keep their last values
                if await store.leases.acquire(TASK, holder, lease_seconds):
                    await watcher.update()
                else:
                    watcher.clear()
            await wait_until_set(stop, poll_seconds)
        watcher.clear()
        with contextlib.suppress(Unavailable):  # it expires
            await store.leases.release(TASK, holder)

    return work


class BacklogWatcher:
    """Reads the queues from their leaders, and sets the gauges."""

    def __init__(
        self,
        bus: NatsBus,
        store: Store,
        metrics: Metrics,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus, self._store, self._now, self._monotonic = bus, store, now, monotonic
        self._metrics = metrics
        self._of_consumers = (
            metrics.backlog,
            metrics.ack_pending,
            metrics.ack_pending_limit,
            metrics.deliveries_settled,
            metrics.oldest_message_age_seconds,
            metrics.behind_seconds,
        )
        self._exported: set[str] = set()
        self._rates: defaultdict[str, DrainRate] = defaultdict(DrainRate)

    async def update(self) -> None:
        """Set all gauges once; raise Unavailable if a server cannot be reached."""
        await self._update_consumers()
        await self._update_streams()
        size = await self._store.read_size()
        self._metrics.store_bytes.set(size.used)
        self._metrics.store_disk_used_bytes.set(size.disk_used)
        self._metrics.store_disk_bytes.set(size.disk)

    def clear(self) -> None:
        """Remove the gauges: another replica exports them."""
        metrics = self._metrics
        own = (*self._of_consumers, metrics.stream_bytes, metrics.stream_limit_bytes, metrics.dead_letters_stored)
        for gauge in own:
            gauge.clear()
        for gauge in (metrics.store_bytes, metrics.store_disk_used_bytes, metrics.store_disk_bytes):
            gauge.set(0)
        self._exported.clear()
        self._rates.clear()

    async def _update_consumers(self) -> None:
        """Set the gauges of each consumer, and remove those of consumers that no longer exist."""
        found = await self._bus.backlog()
        for consumer, backlog in found.items():
            age_seconds = await self._read_age(consumer) if backlog.unfinished else 0.0
            self._set_consumer(consumer, backlog, age_seconds)
        for consumer in self._exported - found.keys():
            self._rates.pop(consumer, None)
            for gauge in self._of_consumers:
                gauge.remove(consumer)
        self._exported = set(found)

    async def _read_age(self, consumer: str) -> float:
        oldest = await read_oldest_time(self._bus, consumer)
        return max(0.0, self._now() - oldest.timestamp()) if oldest else 0.0

    def _set_consumer(self, consumer: str, backlog: Backlog, age_seconds: float) -> None:
        rate = self._rates[consumer]
        rate.observe(backlog.settled, self._monotonic())
        values = (
            backlog.pending,
            backlog.ack_pending,
            backlog.ack_pending_limit,
            backlog.settled,
            age_seconds,
            rate.behind_seconds(backlog.unfinished, age_seconds),
        )
        for gauge, value in zip(self._of_consumers, values, strict=True):
            gauge.labels(consumer=consumer).set(value)

    async def _update_streams(self) -> None:
        for stream, size in (await read_stream_sizes(self._bus)).items():
            self._metrics.stream_bytes.labels(stream=stream).set(size.used)
            self._metrics.stream_limit_bytes.labels(stream=stream).set(size.limit)
        counts = dict.fromkeys(STAGES, 0) | dict(await count_dead_letters(self._bus))
        _replace(self._metrics.dead_letters_stored, counts)


def _replace(gauge: Gauge, counts: dict[str, int]) -> None:
    gauge.clear()
    for stage, count in counts.items():
        gauge.labels(stage=stage).set(count)
