"""Publish a run's trials to the bus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from opentelemetry.trace import SpanKind

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.attack_names import PLAIN
from libra.dispatch.scheduling.trial_source import TrialKey, TrialSource
from libra.stage.batch import content_key, split
from libra.stage.bus import Outgoing
from libra.store.runs import RunRecord, RunSection
from libra.telemetry import spans, tracing
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, TrialBatch, VerdictBatch
from libra.v1.run_pb2 import Run
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import Outcome, Verdict


class TrialPublisher:
    """Publishes the batches that a run's source makes. Each batch begins a trace.

    `clock` returns the seconds since 1970, like the clock of the store that dates the runs.
    """

    def __init__(
        self, source: TrialSource, bus: NatsBus, metrics: Metrics, clock: Callable[[], float] = time.time
    ) -> None:
        self._source, self._bus, self._metrics, self._clock = source, bus, metrics, clock

    async def publish_trials(
        self, record: RunRecord, section: RunSection, model: str, trials: Sequence[TrialKey], *, resend: bool = False
    ) -> int:
        """Publish the trials and return their size in bytes; raise QueueFull if their queue is full."""
        # A resent batch needs another content key, or the server would drop it as a duplicate.
        sending = max(1, int(self._clock() - record.run.create_time.seconds)) if resend else 0
        header = batch_header(record.run, section, model, sending=sending)
        batches = await self._source.batches(record.run, header, trials)
        subject, kind = self._source.subject(header), self._source.message_kind
        sizes = await asyncio.gather(*(self._publish(subject, kind, batch) for batch in batches))
        self._metrics.trials_sent.labels(model=model).inc(len(trials))
        self._metrics.trials_resent.labels(model=model).inc(len(trials) if resend else 0)
        self._metrics.trials_given_up.labels(model=model)
        return sum(sizes)

    async def publish_failures(
        self, record: RunRecord, section: RunSection, model: str, trials: Sequence[TrialKey], reason: str
    ) -> None:
        """Publish FAILED as the verdict of each of the trials."""
        for batch in failed_batches(batch_header(record.run, section, model, sending=0), trials, reason):
            await self._publish(streams.WORK_RANKING, "verdicts", batch)
        self._metrics.trials_given_up.labels(model=model).inc(len(trials))

    async def _publish(self, subject: str, kind: str, batch: TrialBatch | CompletionBatch | VerdictBatch) -> int:
        header = batch.header
        attributes = {"run": header.run, "model": header.model, "task": header.task, "attack": header.attack}
        tracer = tracing.tracer()
        with tracer.start_as_current_span(spans.DISPATCH_SEND, kind=SpanKind.PRODUCER, attributes=attributes):
            data = batch.SerializeToString(deterministic=True)
            await self._bus.publish(Outgoing(subject, content_key(kind, data), data), tracing.inject())
        return len(data)


def batch_header(run: Run, section: RunSection, model: str, *, sending: int) -> BatchHeader:
    """Return the part that all trials of a section share for one model."""
    is_attacked = section.attack != PLAIN
    return BatchHeader(
        run=run.id,
        model=model,
        task=section.task,
        attack=section.attack,
        category=Category.ValueType(section.category),
        seed=run.spec.seed,
        parameters=run.spec.parameters,
        fresh=run.spec.fresh,
        judge=section.judge,
        sending=sending,
        # Only an attack queries these models.
        attack_model=run.spec.attack_model if is_attacked else "",
        attack_judge_model=run.spec.judge_model if is_attacked else "",
        has_budget=run.spec.HasField("budget"),
        balanced_by=section.balanced_by,
        sealed=section.sealed,
        round=run.spec.round,
        team=run.team,
    )


def failed_batches(header: BatchHeader, trials: Sequence[TrialKey], reason: str) -> list[VerdictBatch]:
    """Return FAILED verdicts for the trials, all with the same reason."""
    verdicts = [
        Verdict(sample=sample, epoch=epoch, outcome=Outcome.OUTCOME_FAILED, rationale=reason)
        for sample, epoch in trials
    ]
    return [VerdictBatch(header=header, verdicts=part) for part in split(verdicts)]
