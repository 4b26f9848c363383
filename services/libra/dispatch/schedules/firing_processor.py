"""Take each firing to its end: a run, or the reason why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from libra.core.access import team_scope
from libra.core.errors import CallerError, Unavailable
from libra.dispatch.schedules.template import run_request
from libra.store.client import Store
from libra.store.continuous.schedules import OPEN_STATES, ScheduleRecord
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics
from libra.v1.run_pb2 import CreateRunRequest, CreateRunResponse, RunState
from libra.v1.schedule_pb2 import Firing, FiringState, OverlapPolicy

log = structlog.get_logger(__name__)

CreateRun = Callable[[CreateRunRequest], Awaitable[CreateRunResponse]]

PENDING, STARTING = FiringState.FIRING_STATE_PENDING, FiringState.FIRING_STATE_STARTING
STARTED, SKIPPED = FiringState.FIRING_STATE_STARTED, FiringState.FIRING_STATE_SKIPPED
FAILED = FiringState.FIRING_STATE_FAILED

MAX_WAITING = 10
"""This many firings of a schedule may wait for the end of a run."""


class FiringProcessor:
    """Decides whether a pending firing starts, waits or is skipped, and creates the run of one that starts.

    Every step is a compare-and-set, so that any number of replicas may process the same firing, and each may die after
    any step. A firing is STARTING before its run is created: it can then no longer be skipped. Its id is the request_id
    of the run, so that a repeat of the creation returns the first run.
    """

    def __init__(self, store: Store, create_run: CreateRun, metrics: Metrics) -> None:
        self._store, self._create_run, self._metrics = store, create_run, metrics
        self._waiting_logged: set[str] = set()

    async def process_open(self) -> None:
        """Process every open firing, the oldest first. One that cannot be processed does not stop the others."""
        waiting = Counter[str]()
        for firing in await self._store.firings.list_open():
            try:
                await self._process(firing, waiting)
            except Unavailable as error:
                self._log_once(firing, str(error))
            except Exception:
                # The next poll tries again.
                log.exception("a firing was not processed", action=Action.FIRING_WAITS, firing=firing.id)

    async def _process(self, firing: Firing, waiting: Counter[str]) -> None:
        record = await self._store.schedules.get(firing.schedule)
        if record is None or record.schedule.id != firing.schedule_id:
            return await self._skip(firing, "the schedule was deleted")
        if firing.state == PENDING and not await self._decide(record, firing, waiting):
            return None
        return await self._start(record, firing)

    async def _decide(self, record: ScheduleRecord, firing: Firing, waiting: Counter[str]) -> bool:
        """Return whether the firing starts now."""
        schedule = record.schedule
        if schedule.paused:
            await self._skip(firing, "the schedule was paused")
            return False
        if schedule.overlap != OverlapPolicy.OVERLAP_POLICY_ALLOW and record.active != firing.id:
            if run := await self._unfinished(record.active):
                if schedule.overlap != OverlapPolicy.OVERLAP_POLICY_QUEUE:
                    await self._skip(firing, f"{run} had not ended")
                elif waiting[schedule.id] >= MAX_WAITING:
                    await self._skip(firing, f"{MAX_WAITING} earlier firings were waiting for {run}")
                else:
                    waiting[schedule.id] += 1
                return False
            if not await self._store.schedules.activate(record, firing.id):
                return False  # another replica activated a firing; the next poll sees it
        return await self._store.firings.settle(firing, [PENDING], Firing(state=STARTING))

    async def _unfinished(self, firing_id: str) -> str:
        """Return what a firing has to end before the next one starts, in words; "" if nothing."""
        firing = await self._store.firings.get(firing_id) if firing_id else None
        if firing is None:
            return ""
        if firing.state in OPEN_STATES:
            return "the earlier firing"
        unfinished = (RunState.RUN_STATE_RUNNING, RunState.RUN_STATE_PAUSED)
        is_running = firing.run and await self._store.runs.get_state(firing.run) in unfinished
        return f"the run {firing.run}" if is_running else ""

    async def _start(self, record: ScheduleRecord, firing: Firing) -> None:
        try:
            with team_scope.acting_for(record.schedule.team):
                run = (await self._create_run(run_request(record.schedule, firing))).run
        except CallerError as error:
            field = error.field.removeprefix("spec.")
            reason = f"{field}: {error.message}" if field else error.message
            if await self._store.firings.settle(firing, [STARTING], Firing(state=FAILED, reason=reason)):
                self._metrics.firings.labels(result="failed").inc()
                log.warning("a firing failed", action=Action.FIRING_FAILED, firing=firing.id, reason=reason)
        else:
            # FAILED: another replica saw the template refused although the run had just been created.
            if await self._store.firings.settle(firing, [STARTING, FAILED], Firing(state=STARTED, run=run.id)):
                self._metrics.firings.labels(result="started").inc()
                log.info("a firing has started", action=Action.FIRING_STARTED, firing=firing.id, run=run.id)

    async def _skip(self, firing: Firing, reason: str) -> None:
        if await self._store.firings.settle(firing, [PENDING], Firing(state=SKIPPED, reason=reason)):
            self._metrics.firings.labels(result="skipped").inc()
            log.warning("a firing was skipped", action=Action.FIRING_SKIPPED, firing=firing.id, reason=reason)

    def _log_once(self, firing: Firing, reason: str) -> None:
        if firing.id not in self._waiting_logged:
            self._waiting_logged.add(firing.id)
            log.warning("a firing waits", action=Action.FIRING_WAITS, firing=firing.id, reason=reason)
