"""Export the backlog of every consumer as gauges. One service does it for all, since the numbers are the server's."""

from __future__ import annotations

import asyncio
import contextlib

from libra.bus.nats_bus import NatsBus
from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.process.context import Worker
from libra.telemetry.metrics import Metrics

POLL_SECONDS = 5.0


def watch_backlog(bus: NatsBus, metrics: Metrics, *, poll_seconds: float = POLL_SECONDS) -> Worker:
    """Return the worker that updates `backlog` and `ack_pending` for each consumer."""

    async def work(stop: asyncio.Event) -> None:
        exported: set[str] = set()
        while not stop.is_set():
            with contextlib.suppress(Unavailable):  # readiness reports the outage; the gauges keep their last values
                exported = await update_gauges(bus, metrics, exported)
            await wait_until_set(stop, poll_seconds)

    return work


async def update_gauges(bus: NatsBus, metrics: Metrics, exported: set[str]) -> set[str]:
    """Set the gauges, remove those of `exported` consumers that no longer exist, and return the existing consumers."""
    found = await bus.backlog()
    for consumer, backlog in found.items():
        metrics.backlog.labels(consumer=consumer).set(backlog.pending)
        metrics.ack_pending.labels(consumer=consumer).set(backlog.ack_pending)
    for consumer in exported - found.keys():
        metrics.backlog.remove(consumer)
        metrics.ack_pending.remove(consumer)
    return set(found)
