"""Fire the schedules: each replica of dispatch runs one worker, and all of them do the same work."""

from __future__ import annotations

import asyncio
import contextlib

from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.dispatch.schedules.due_times import fire_due_times
from libra.dispatch.schedules.firing_processor import CreateRun, FiringProcessor
from libra.dispatch.schedules.model_events import ModelEvents
from libra.store.client import Store
from libra.telemetry.metrics import Metrics

POLL_SECONDS = 1.0
"""A schedule fires at most about this late."""


class ScheduleWorker:
    """Polls the store for what is due. It needs no lease: every step is idempotent."""

    def __init__(
        self, store: Store, create_run: CreateRun, metrics: Metrics, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._store, self._poll_seconds = store, poll_seconds
        self._models = ModelEvents(store)
        self._processor = FiringProcessor(store, create_run, metrics)

    async def work(self, stop: asyncio.Event) -> None:
        """Fire schedules until `stop` is set."""
        while not stop.is_set():
            with contextlib.suppress(Unavailable):  # readiness reports it; the next poll catches up
                await self.poll()
            await wait_until_set(stop, self._poll_seconds)

    async def poll(self) -> None:
        """Do what is due now."""
        await fire_due_times(self._store)
        await self._models.fire()
        await self._processor.process_open()
