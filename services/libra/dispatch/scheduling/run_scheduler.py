"""Lead one run from its cursors to its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

import structlog

from libra.bus import streams
from libra.bus.nats_bus import Backlog, NatsBus
from libra.contracts.outcomes import total_of
from libra.dispatch.scheduling.chunk_size import Stride
from libra.dispatch.scheduling.expansion import next_stretch, total
from libra.dispatch.scheduling.publisher import TrialPublisher
from libra.dispatch.scheduling.send_window import Room
from libra.dispatch.scheduling.sweep import Sweep
from libra.dispatch.scheduling.throughput import Pace
from libra.dispatch.settings import Settings
from libra.errors import Unavailable
from libra.stage.batch import MAX_TRIALS
from libra.stage.bus import QueueFull
from libra.store.client import Store
from libra.store.runs import RunRecord
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics
from libra.v1.run_pb2 import OutcomeCounts, RunState

log = structlog.get_logger(__name__)

LOOKS_PER_SECOND = 10
"""Progress is asked for no oftener, however many events come."""

EAGER_SECONDS = 1.0
"""So long after its beginning a run looks of itself: a fast model has answered what was sent ahead before verdicts tell of it."""

EAGER_LOOKS_PER_SECOND = 30


def settled(counts: OutcomeCounts | None) -> int:
    """Return how many trials have their verdict."""
    return total_of(counts) if counts else 0


class RunScheduler:
    """Keeps a bounded window of trials in flight for each model of one run, and ends the run when every trial is settled."""

    def __init__(
        self,
        run_id: str,
        holder: str,
        *,
        store: Store,
        bus: NatsBus,
        metrics: Metrics,
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.nudge = asyncio.Event()
        """Set it when there may be progress."""
        self._id, self._holder = run_id, holder
        self._store, self._bus, self._settings = store, bus, settings
        self._sender = TrialPublisher(store, bus, metrics, clock)
        self._sweep = Sweep(store, bus, self._sender, settings)
        self._window_trials = max(settings.window_trials, MAX_TRIALS)
        self._renewed_seconds = asyncio.get_running_loop().time()
        self._strides: defaultdict[str, Stride] = defaultdict(Stride)
        """By model."""
        self._rooms: dict[str, Room] = {}
        self._paces: dict[str, Pace] = {}
        self._backlog: dict[str, Backlog] = {}
        """Of this look: one question serves all models."""
        self._eager_until_seconds = self._renewed_seconds + EAGER_SECONDS
        self._waits = False
        """Whether the last look met an outage."""

    async def lead(self, stop: asyncio.Event) -> None:
        """Work until the run has ended, belongs to another replica, or `stop` is set.

        An outage is waited for here: to begin anew after it would forget for how long each model has stood still.
        """
        while not stop.is_set():
            try:
                if await self._look():
                    return
                self._waits = False
            except Unavailable as error:
                if not self._waits:
                    log.warning("a run waits", action=Action.RUN_WAITS, run=self._id, reason=str(error))
                self._waits = True
            await self._rest()

    async def _look(self) -> bool:
        """See to the run once; tell whether there is nothing left to lead."""
        if not await self._ours():
            return True
        record = await self._store.runs.get(self._id)
        if record is None or record.run.state != RunState.RUN_STATE_RUNNING:
            return True
        return await self._step(record)

    async def _step(self, record: RunRecord) -> bool:
        """Send what the windows have room for, sweep, and end the run if it is done; tell whether it is."""
        progress, self._backlog = await self._store.cells.count_outcomes(self._id), {}
        models = record.run.spec.models
        if all(settled(progress.get(model)) >= total(record.sections) for model in models):
            await self._end()
            return True
        for model in models:
            await self._feed(record, model, settled(progress.get(model)))
            await self._sweep.look(record, model, settled(progress.get(model)))
        return False

    async def _feed(self, record: RunRecord, model: str, done: int) -> None:
        cursor, stride = record.cursors.get(model, 0), self._strides[model]
        now_seconds = asyncio.get_running_loop().time()
        self._paces.setdefault(model, Pace(done, now_seconds)).look(done, now_seconds)
        until = cursor + await self._room(
            model, cursor - done, self._sender.source(record.run).queues(record.run, model)
        )
        with contextlib.suppress(QueueFull):  # the next step tries again from the same cursor
            while (most := stride.within(until - cursor)) and await self._ours():
                stretch = next_stretch(record.sections, cursor, most)
                if stretch is None:
                    return
                trials = stretch.stop - stretch.start
                grid = await self._sender.grid(record, stretch.section)
                size_bytes = await self._sender.send(
                    record, stretch.section, model, grid.between(stretch.start, stretch.stop)
                )
                stride.learn(trials, size_bytes)
                cursor += trials
                # After the publish: a crash between the two sends the batches twice, and never not at all.
                await self._store.runs.advance_cursor(self._id, model, cursor)

    async def _room(self, model: str, in_flight: int, queues: Sequence[str]) -> int:
        """Return how many trials more may be sent, `queues` being the consumers where they would wait."""
        if model not in self._rooms:
            entry = await self._store.models.get(model)
            self._rooms[model] = Room.of(entry.limits.max_in_flight if entry else 0, self._window_trials)
        room = self._rooms[model].at(self._paces[model].per_second)
        if room.has(in_flight) >= MAX_TRIALS or in_flight + MAX_TRIALS > room.most:
            return room.has(in_flight)
        backlog = self._backlog = self._backlog or await self._bus.backlog()
        if not backlog.keys() >= set(queues):  # what waits for a model that no gateway knows yet cannot be seen
            return room.has(in_flight)
        return room.beside(in_flight, sum(backlog[queue].unfinished for queue in queues))

    async def _end(self) -> None:
        if await self._store.runs.mark_ended(self._id, RunState.RUN_STATE_FINISHED):
            log.info("the run has finished", action=Action.RUN_ENDED, run=self._id)
            await self._bus.signal(streams.event_run(self._id), b"")
            await self._bus.signal(streams.event_board(), b"")

    async def _ours(self) -> bool:
        """Renew the lease when a third of it has passed; tell whether the run is still this replica's."""
        now = asyncio.get_running_loop().time()
        if now - self._renewed_seconds < self._settings.lease_seconds / 3:
            return True
        ours = await self._store.runs.acquire_lease(self._id, self._holder, self._settings.lease_seconds)
        self._renewed_seconds = now
        return ours

    async def _rest(self) -> None:
        if asyncio.get_running_loop().time() < self._eager_until_seconds:
            await asyncio.sleep(1 / EAGER_LOOKS_PER_SECOND)
            return
        await asyncio.sleep(1 / LOOKS_PER_SECOND)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.nudge.wait(), self._settings.wake_seconds)
        self.nudge.clear()
