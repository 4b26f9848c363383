"""Show how much waits on the bus: what an autoscaler and a dashboard look at."""

from __future__ import annotations

import asyncio
import contextlib

from libra.bus.connection import NatsBus
from libra.errors import Unavailable
from libra.telemetry.metrics import Metrics

LOOK_SECONDS = 5.0


async def watch(bus: NatsBus, metrics: Metrics, stop: asyncio.Event) -> None:
    """Set the gauges to what waits for each consumer, every five seconds until `stop` is set."""
    while not stop.is_set():
        with contextlib.suppress(Unavailable):  # readiness says so; the gauges keep what was seen last
            for consumer, waiting in (await bus.backlog()).items():
                metrics.backlog.labels(consumer=consumer).set(waiting.pending)
                metrics.ack_pending.labels(consumer=consumer).set(waiting.ack_pending)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
