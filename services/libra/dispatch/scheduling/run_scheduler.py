"""Send the trials of one run, from its cursors to its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable

import structlog

from libra.bus import streams
from libra.bus.nats_bus import Backlog, NatsBus
from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.dispatch.scheduling.chunk_size import ChunkSize
from libra.dispatch.scheduling.expansion import TrialExpander, next_chunk
from libra.dispatch.scheduling.prompt_source import PromptSource
from libra.dispatch.scheduling.publisher import TrialPublisher
from libra.dispatch.scheduling.rejudge_source import RejudgeSource
from libra.dispatch.scheduling.run_lease import RunLease
from libra.dispatch.scheduling.run_progress import RunProgress
from libra.dispatch.scheduling.send_window import SendWindow
from libra.dispatch.scheduling.sweep import Sweep
from libra.dispatch.scheduling.throughput import Throughput
from libra.dispatch.scheduling.trial_source import TrialSource
from libra.dispatch.settings import Settings
from libra.stage.batch import MAX_TRIALS
from libra.stage.bus import QueueFull
from libra.store.client import Store
from libra.store.runs import BUDGET_EXHAUSTED, RunRecord
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics
from libra.v1.run_pb2 import Run, RunState

log = structlog.get_logger(__name__)

MAX_POLLS_PER_SECOND = 10
"""The store is polled at most this often, however many events arrive."""

STARTUP_SECONDS = 1.0
"""A new run is polled for this time without waiting for events: a fast model answers before the first event."""

STARTUP_POLLS_PER_SECOND = 30

MIN_PROJECTION_RATIO = 0.02
"""The cost of a run is projected once this part of its trials has a verdict."""


class RunScheduler:
    """Keeps a bounded window of trials in flight for each model of one run, and ends the run once all are settled."""

    def __init__(
        self,
        run: Run,
        lease: RunLease,
        *,
        store: Store,
        bus: NatsBus,
        metrics: Metrics,
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._run_id, self._lease = run.id, lease
        self._store, self._bus, self._settings = store, bus, settings
        self._source: TrialSource = RejudgeSource(store) if run.spec.rejudges else PromptSource(store)
        self._expander = TrialExpander(store.tasks)
        self._publisher = TrialPublisher(self._source, bus, metrics, clock)
        self._sweep = Sweep(
            store, bus, settings, source=self._source, expander=self._expander, publisher=self._publisher
        )
        self._max_window_trials = max(settings.window_trials, MAX_TRIALS)
        self._chunk_sizes: defaultdict[str, ChunkSize] = defaultdict(ChunkSize)
        """By model, like the next two."""
        self._windows: dict[str, SendWindow] = {}
        self._throughputs: dict[str, Throughput] = {}
        self._backlog: dict[str, Backlog] = {}
        """Backlog in the current step: one request serves all models."""
        self._startup_until_seconds = asyncio.get_running_loop().time() + STARTUP_SECONDS
        self.projected_ratio = 0.0
        """The projected cost of the run at its end, divided by its budget; 0 without one, and at its start."""
        self._wake = asyncio.Event()
        self._in_outage = False

    def wake(self) -> None:
        """Poll soon: the run may have made progress."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until the run has ended, its lease is lost, or `stop` is set.

        This loop waits through an outage. A restart after it would forget for how long each model has stalled.
        """
        while not stop.is_set():
            try:
                if await self._step():
                    return
                self._in_outage = False
            except Unavailable as error:
                if not self._in_outage:
                    log.warning("a run waits", action=Action.RUN_WAITS, run=self._run_id, reason=str(error))
                self._in_outage = True
            await self._wait()

    async def _step(self) -> bool:
        """Send, sweep and end the run, as its progress requires; return True if nothing is left to do."""
        if not await self._lease.is_held():
            return True
        record = await self._store.runs.get(self._run_id)
        if record is None or record.run.state != RunState.RUN_STATE_RUNNING:
            return True
        progress, self._backlog = await RunProgress.load(self._store.cells, record), {}
        if progress.is_complete:
            await self._finish()
            return True
        if await self._is_budget_exhausted(record.run, progress):
            return True
        for model in record.run.spec.models:
            await self._send(record, model, progress.settled(model))
            await self._sweep.sweep_if_stalled(record, model, progress.settled(model))
        return False

    async def _send(self, record: RunRecord, model: str, settled: int) -> None:
        """Send the model's next trials, up to its window."""
        cursor, chunk_size = record.cursors.get(model, 0), self._chunk_sizes[model]
        self._observe_throughput(model, settled)
        limit = cursor + await self._available(record.run, model, cursor - settled)
        with contextlib.suppress(QueueFull):  # the next step tries again from the same cursor
            while (max_trials := chunk_size.fit(limit - cursor)) and await self._lease.is_held():
                chunk = next_chunk(record.sections, cursor, max_trials)
                if chunk is None:
                    return
                grid = await self._expander.grid(record.run, chunk.section)
                trials = grid.trials_between(chunk.start, chunk.stop)
                size_bytes = await self._publisher.publish_trials(record, chunk.section, model, trials)
                chunk_size.observe(len(trials), size_bytes)
                cursor += len(trials)
                # After the publish: a crash between the two sends the batches twice instead of never.
                await self._store.runs.advance_cursor(self._run_id, model, cursor)

    def _observe_throughput(self, model: str, settled: int) -> None:
        now_seconds = asyncio.get_running_loop().time()
        self._throughputs.setdefault(model, Throughput(settled, now_seconds)).observe(settled, now_seconds)

    async def _available(self, run: Run, model: str, in_flight: int) -> int:
        """Return how many more of the model's trials may be sent; read the backlog only if the answer depends on it."""
        if model not in self._windows:
            entry = await self._store.models.get(model)
            max_in_flight = entry.limits.max_in_flight if entry else 0
            self._windows[model] = SendWindow.for_model(max_in_flight, self._max_window_trials)
        window = self._windows[model].scaled_to(self._throughputs[model].per_second)
        if window.available(in_flight) >= MAX_TRIALS or in_flight + MAX_TRIALS > window.max_trials:
            return window.available(in_flight)
        backlog = self._backlog = self._backlog or await self._bus.backlog()
        consumers = self._source.backlog_consumers(run, model)
        if not backlog.keys() >= set(consumers):  # no gateway has created the model's consumer yet
            return window.available(in_flight)
        return window.available_given_backlog(in_flight, sum(backlog[name].unfinished for name in consumers))

    async def _is_budget_exhausted(self, run: Run, progress: RunProgress) -> bool:
        """Return whether the run has used up its budget, and stop it then; project its cost."""
        if not run.spec.HasField("budget"):
            return False
        ledger = await self._store.budgets.get(run.id)
        if ledger is not None and progress.settled_ratio >= MIN_PROJECTION_RATIO:
            self.projected_ratio = ledger.used_ratio / progress.settled_ratio
        if ledger is None or not ledger.exhausted:
            return False
        if await self._store.runs.change_state(run.id, [RunState.RUN_STATE_RUNNING], BUDGET_EXHAUSTED):
            log.warning("the run has used up its budget", action=Action.RUN_STOPPED, run=run.id)
            await self._bus.signal(streams.event_run(run.id), b"")
        return True

    async def _finish(self) -> None:
        if await self._store.runs.mark_ended(self._run_id, RunState.RUN_STATE_FINISHED):
            log.info("the run has finished", action=Action.RUN_ENDED, run=self._run_id)
            await self._bus.signal(streams.event_run(self._run_id), b"")
            await self._bus.signal(streams.event_board(), b"")

    async def _wait(self) -> None:
        if asyncio.get_running_loop().time() < self._startup_until_seconds:
            await asyncio.sleep(1 / STARTUP_POLLS_PER_SECOND)
            return
        await asyncio.sleep(1 / MAX_POLLS_PER_SECOND)
        await wait_until_set(self._wake, self._settings.wake_seconds)
        self._wake.clear()
