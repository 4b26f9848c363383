"""See to it that every running run has exactly one conductor, among all the replicas of dispatch."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

import structlog
from ulid import ULID

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.dispatch.scheduling.run_scheduler import RunScheduler
from libra.dispatch.settings import Settings
from libra.errors import Unavailable
from libra.store.client import Store
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
"""Runs that nobody leads are looked for this often."""


class RunSupervisor:
    """Claims runs and keeps a conductor on each; a run that a dead replica led is claimed when its lease is over."""

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
        self._led: dict[str, tuple[RunScheduler, asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look for runs now: one has just been created."""
        self._wake.set()

    async def work(self, stop: asyncio.Event) -> None:
        """Lead runs until `stop` is set; then let each conductor finish its step, and give the leases back.

        If it is cancelled, the conductors are too.
        """
        helpers = [asyncio.create_task(self._listen()), asyncio.create_task(self._wake_at(stop))]
        try:
            while not stop.is_set():
                with contextlib.suppress(Unavailable):  # readiness says so; the runs wait
                    await self._take_up(stop)
                await self._rest()
        except asyncio.CancelledError:
            helpers += [task for _, task in self._led.values()]
            raise
        finally:
            await self._leave(helpers)

    async def _leave(self, helpers: Sequence[asyncio.Task[None]]) -> None:
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, *(task for _, task in self._led.values()), return_exceptions=True)
        # A lease that cannot be given back lapses.
        await asyncio.gather(
            *(self._store.runs.release_lease(run, self._holder) for run in self._led), return_exceptions=True
        )

    async def _take_up(self, stop: asyncio.Event) -> None:
        self._led = {run: led for run, led in self._led.items() if not led[1].done()}
        for record in await self._store.runs.list_running():
            run = record.run.id
            if run not in self._led and await self._store.runs.acquire_lease(
                run, self._holder, self._settings.lease_seconds
            ):
                conductor = RunScheduler(
                    run,
                    self._holder,
                    store=self._store,
                    bus=self._bus,
                    metrics=self._metrics,
                    settings=self._settings,
                    clock=self._clock,
                )
                self._led[run] = conductor, asyncio.create_task(self._lead(conductor, run, stop))
        self._metrics.runs_active.set(len(self._led))

    async def _lead(self, conductor: RunScheduler, run: str, stop: asyncio.Event) -> None:
        try:
            await conductor.lead(stop)
        except Exception:
            # The next look takes the run up again, from its cursors.
            log.exception("a run's conductor failed", action=Action.RUN_WAITS, run=run)

    async def _listen(self) -> None:
        async for subject, _ in self._bus.listen(streams.event_run("*")):
            led = self._led.get(subject.rpartition(".")[2])
            if led:
                led[0].nudge.set()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()
        for conductor, _ in self._led.values():
            conductor.nudge.set()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
        self._wake.clear()
