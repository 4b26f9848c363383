"""Resend the trials that were sent and have no verdict: the queue may lose messages, the store does not.

Every stage is idempotent, so a trial that is sent twice costs time and nothing else. Trials are resent only if a model
has had no new verdict for a while and no stage has work for it, because a slow model is no reason to query it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import structlog

from libra.bus.nats_bus import NatsBus
from libra.dispatch.scheduling.expansion import TrialExpander, sent_trials
from libra.dispatch.scheduling.publisher import TrialPublisher
from libra.dispatch.scheduling.stall_detector import StallDetector
from libra.dispatch.scheduling.trial_source import TrialKey, TrialSource
from libra.dispatch.settings import Settings
from libra.stage.bus import QueueFull
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)


class Sweep:
    """Finds the lost trials of one run, and resends them or declares them failed."""

    def __init__(
        self,
        store: Store,
        bus: NatsBus,
        settings: Settings,
        *,
        source: TrialSource,
        expander: TrialExpander,
        publisher: TrialPublisher,
    ) -> None:
        self._store, self._bus, self._settings = store, bus, settings
        self._source, self._expander, self._publisher = source, expander, publisher
        self._detectors: dict[str, StallDetector] = {}

    async def sweep_if_stalled(self, record: RunRecord, model: str, settled: int) -> None:
        """Sweep the model's trials if it has stalled; `settled` of them have a verdict."""
        now_seconds = asyncio.get_running_loop().time()
        # A run that was stopped waits for nothing: the batches that it had in flight have ended or were dropped.
        since_seconds = now_seconds - (self._settings.quiet_seconds if record.changes else 0)
        detector = self._detectors.setdefault(model, StallDetector(settled, since_seconds))
        stalled_seconds = detector.observe(settled, now_seconds)
        if record.cursors.get(model, 0) <= settled or stalled_seconds < self._settings.quiet_seconds:
            return
        if await self._is_parked(record, model):
            return  # its trials wait in the gateways
        idle = await self._are_queues_idle(model)
        if idle or stalled_seconds >= self._settings.patience_seconds:
            sweeps = detector.fruitless_sweeps
            with contextlib.suppress(QueueFull):  # the next sweep sends the rest
                await self._sweep(record, model, sweeps, give_up=idle and sweeps >= self._settings.sweeps)
            # Batches that wait in a queue are not lost, however long they wait; such a sweep does not count.
            detector.record_sweep(now_seconds, queues_idle=idle)

    async def _is_parked(self, record: RunRecord, model: str) -> bool:
        """Return whether the trials wait for a parked model: their own, or one that judges or writes for them."""
        spec = record.run.spec
        parked = await self._store.parked_models.list()
        return not parked.keys().isdisjoint({model, spec.judge_model, spec.attack_model})

    async def _are_queues_idle(self, model: str) -> bool:
        """Return whether no stage has a batch, waiting or unacknowledged, that may be the model's."""
        consumers = self._source.pipeline_consumers(model)
        backlog = await self._bus.backlog()
        if not all(name in backlog for name in consumers):
            # The backlog of a missing consumer is unknown, and its stage may only be late to start.
            await self._bus.ensure_consumer(model)
            return False
        return not any(backlog[name].pending + backlog[name].ack_pending for name in consumers)

    async def _sweep(self, record: RunRecord, model: str, fruitless_sweeps: int, *, give_up: bool) -> None:
        count = 0
        async for section, trials in self._missing(record, model):
            count += len(trials)
            if give_up:
                sent = fruitless_sweeps + 1
                reason = f"no verdict after it was sent {sent} times; `libra dead list` may show the cause"
                await self._publisher.publish_failures(record, section, model, trials, reason)
            else:
                await self._publisher.publish_trials(record, section, model, trials, resend=True)
        if not count:
            return  # the last verdicts arrived during this sweep
        action = Action.TRIALS_GIVEN_UP if give_up else Action.TRIALS_SWEPT
        log.warning("sent trials had no verdict", action=action, run=record.run.id, model=model, trials=count)

    async def _missing(self, record: RunRecord, model: str) -> AsyncIterator[tuple[RunSection, Sequence[TrialKey]]]:
        run = record.run
        cells = await self._store.cells.list_for_runs([run.id])
        settled = {(cell.task, cell.attack): cell.total for cell in cells if cell.model == model}
        for section, count in sent_trials(record.sections, record.cursors.get(model, 0)):
            if settled.get((section.task, section.attack), 0) >= count:
                continue  # in a long run nearly all sections are complete: skip reading their verdict ids
            verdicts = await self._store.verdicts.list_completed_trials(run.id, 0, model, section.task, section.attack)
            grid = await self._expander.grid(run, section)
            if trials := [trial for trial in grid.trials_between(0, count) if trial not in verdicts]:
                yield section, trials
