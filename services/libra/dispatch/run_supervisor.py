"""Lease each running run to exactly one replica of dispatch, and schedule the runs leased to this one."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from ulid import ULID

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.dispatch.scheduling.run_lease import RunLease
from libra.dispatch.scheduling.run_scheduler import RunScheduler
from libra.dispatch.settings import Settings
from libra.store.client import Store
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics
from libra.v1.run_pb2 import Run

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
"""The store is polled for unleased runs at this interval."""


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """A run that this replica has leased."""

    lease: RunLease
    scheduler: RunScheduler
    task: asyncio.Task[None]


class RunSupervisor:
    """Runs a scheduler for each leased run; leases the runs of a dead replica once its leases expire."""

    def __init__(
        self,
        store: Store,
        bus: NatsBus,
        metrics: Metrics,
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._bus, self._metrics, self._settings, self._clock = store, bus, metrics, settings, clock
        self._holder = str(ULID())
        self._scheduled: dict[str, ScheduledRun] = {}
        """By run id."""
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Poll for runs now: one was created."""
        self._wake.set()

    async def work(self, stop: asyncio.Event) -> None:
        """Schedule runs until `stop` is set; then let each scheduler finish its step, and release the leases.

        If this coroutine is cancelled, the schedulers are cancelled too.
        """
        helpers = [asyncio.create_task(self._listen()), asyncio.create_task(self._wake_at(stop))]
        try:
            while not stop.is_set():
                with contextlib.suppress(Unavailable):  # readiness reports it; the runs wait
                    await self._lease_runs(stop)
                await self._wait()
        except asyncio.CancelledError:
            helpers += [scheduled.task for scheduled in self._scheduled.values()]
            raise
        finally:
            await self._shut_down(helpers)

    async def _shut_down(self, helpers: Sequence[asyncio.Task[None]]) -> None:
        for helper in helpers:
            helper.cancel()
        scheduled = self._scheduled.values()
        await asyncio.gather(*helpers, *(run.task for run in scheduled), return_exceptions=True)
        # A lease that cannot be released expires.
        await asyncio.gather(*(run.lease.release() for run in scheduled), return_exceptions=True)

    async def _lease_runs(self, stop: asyncio.Event) -> None:
        self._scheduled = {run_id: run for run_id, run in self._scheduled.items() if not run.task.done()}
        for record in await self._store.runs.list_running():
            if record.run.id in self._scheduled:
                continue
            lease = RunLease(self._store.runs, record.run.id, self._holder, self._settings.lease_seconds)
            if await lease.acquire():
                self._scheduled[record.run.id] = self._schedule(record.run, lease, stop)
        self._metrics.runs_active.set(len(self._scheduled))
        projected = (run.scheduler.projected_ratio for run in self._scheduled.values())
        self._metrics.budget_projected_ratio.set(max(projected, default=0.0))

    def _schedule(self, run: Run, lease: RunLease, stop: asyncio.Event) -> ScheduledRun:
        scheduler = RunScheduler(
            run,
            lease,
            store=self._store,
            bus=self._bus,
            metrics=self._metrics,
            settings=self._settings,
            clock=self._clock,
        )
        return ScheduledRun(lease, scheduler, asyncio.create_task(self._run(scheduler, run.id, stop)))

    async def _run(self, scheduler: RunScheduler, run_id: str, stop: asyncio.Event) -> None:
        try:
            await scheduler.run(stop)
        except Exception:
            # The next poll schedules the run again, from its cursors.
            log.exception("a run's scheduler failed", action=Action.RUN_WAITS, run=run_id)

    async def _listen(self) -> None:
        async for subject, _ in self._bus.listen(streams.event_run("*")):
            scheduled = self._scheduled.get(subject.rpartition(".")[2])
            if scheduled:
                scheduled.scheduler.wake()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()
        for scheduled in self._scheduled.values():
            scheduled.scheduler.wake()

    async def _wait(self) -> None:
        await wait_until_set(self._wake, POLL_SECONDS)
        self._wake.clear()
