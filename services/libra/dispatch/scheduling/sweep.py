"""Send again what has no verdict though it was sent: the queue may forget, the ledger does not.

Every stage is idempotent, so sending a trial twice costs time and nothing else. It is done only when a model's verdicts have
stood still and no stage has work for it, since a slow model is no reason to ask again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import structlog

from libra.bus.nats_bus import NatsBus
from libra.dispatch.scheduling.expansion import sent
from libra.dispatch.scheduling.publisher import TrialPublisher
from libra.dispatch.scheduling.stall_detector import Stillness
from libra.dispatch.settings import Settings
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

Places = Sequence[tuple[int, int]]


class Sweep:
    """Watches the models of one run for lost trials."""

    def __init__(self, store: Store, bus: NatsBus, sender: TrialPublisher, settings: Settings) -> None:
        self._store, self._bus, self._sender, self._settings = store, bus, sender, settings
        self._still: dict[str, Stillness] = {}

    async def look(self, record: RunRecord, model: str, settled: int) -> None:
        """Sweep the model's trials if it is time to."""
        now = asyncio.get_running_loop().time()
        still = self._still.setdefault(model, Stillness(settled, now))
        seconds = still.look(settled, now)
        if record.cursors.get(model, 0) <= settled or seconds < self._settings.quiet_seconds:
            return
        idle = await self._idle(model, self._sender.source(record.run).way(model))
        if idle or seconds >= self._settings.patience_seconds:
            await self._sweep(record, model, still.sweeps, give_up=idle and still.sweeps >= self._settings.sweeps)
            # What still waits in a queue is no proof that trials get lost, however long it waits.
            still.swept(now, in_vain=idle)

    async def _idle(self, model: str, on_the_way: Sequence[str]) -> bool:
        """Tell whether no stage that is on the way has a batch waiting or in hand that could be the model's."""
        backlog = await self._bus.backlog()
        if not all(name in backlog for name in on_the_way):
            # What waits for a consumer that is not there is counted by nobody, and its stage may only be late.
            await self._bus.ensure_consumer(model)
            return False
        return not any(backlog[name].pending + backlog[name].ack_pending for name in on_the_way)

    async def _sweep(self, record: RunRecord, model: str, sweeps: int, *, give_up: bool) -> None:
        trials = 0
        async for section, places in self._missing(record, model):
            trials += len(places)
            if give_up:
                reason = f"no verdict after it was sent {sweeps + 1} times; `libra dead list` may tell why"
                await self._sender.declare_failed(record, section, model, places, reason)
            else:
                await self._sender.send(record, section, model, places, again=True)
        if not trials:
            return  # the last verdicts came while they were looked for
        action = Action.TRIALS_GIVEN_UP if give_up else Action.TRIALS_SWEPT
        log.warning("sent trials had no verdict", action=action, run=record.run.id, model=model, trials=trials)

    async def _missing(self, record: RunRecord, model: str) -> AsyncIterator[tuple[RunSection, Places]]:
        run = record.run
        cells = await self._store.cells.list_for_runs([run.id])
        settled = {(cell.task, cell.attack): cell.total for cell in cells if cell.model == model}
        for section, count in sent(record.sections, record.cursors.get(model, 0)):
            if settled.get((section.task, section.attack), 0) >= count:
                continue  # in a long run nearly all are: their ids need not be looked at
            have = await self._store.verdicts.list_completed_trials(run.id, 0, model, section.task, section.attack)
            grid = await self._sender.grid(record, section)
            if places := [place for place in grid.between(0, count) if place not in have]:
                yield section, places
