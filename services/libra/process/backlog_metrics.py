"""The gauges of what waits in the queue. One service watches them for all: the numbers are the server's, not a replica's."""

from __future__ import annotations

import asyncio
import contextlib

from libra.bus.nats_bus import NatsBus
from libra.errors import Unavailable
from libra.process.context import Worker
from libra.telemetry.metrics import Metrics
from libra.timeouts import wait_until_set

LOOK_SECONDS = 5.0


def watch_backlog(bus: NatsBus, metrics: Metrics, *, look_seconds: float = LOOK_SECONDS) -> Worker:
    """Return the worker that keeps `backlog` and `ack_pending` true, for each consumer there is."""

    async def work(stop: asyncio.Event) -> None:
        shown: set[str] = set()
        while not stop.is_set():
            with contextlib.suppress(Unavailable):  # readiness says so; the gauges keep what was seen last
                shown = await look(bus, metrics, shown)
            await wait_until_set(stop, look_seconds)

    return work


async def look(bus: NatsBus, metrics: Metrics, shown: set[str]) -> set[str]:
    """Set the gauges, take away those of the consumers in `shown` that are gone, and return the consumers there are."""
    found = await bus.backlog()
    for consumer, backlog in found.items():
        metrics.backlog.labels(consumer=consumer).set(backlog.pending)
        metrics.ack_pending.labels(consumer=consumer).set(backlog.ack_pending)
    for consumer in shown - found.keys():
        metrics.backlog.remove(consumer)
        metrics.ack_pending.remove(consumer)
    return set(found)
