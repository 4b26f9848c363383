"""Put a run's trials on the bus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from opentelemetry.trace import SpanKind

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.dispatch.scheduling.batches import failed_batches, header
from libra.dispatch.scheduling.expansion import Grid
from libra.dispatch.scheduling.prompt_source import Prompts
from libra.dispatch.scheduling.rejudge_source import Answers
from libra.dispatch.scheduling.trial_source import Source
from libra.errors import NotFound
from libra.stage.batch import content_key
from libra.stage.bus import Outgoing
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.telemetry import spans, tracing
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import CompletionBatch, TrialBatch, VerdictBatch
from libra.v1.run_pb2 import Run


class TrialPublisher:
    """Has a run's batches made by its source and publishes them. Each batch begins a trace.

    `clock` tells the seconds since 1970, as the store does that dates the runs.
    """

    def __init__(self, store: Store, bus: NatsBus, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        self._store, self._bus, self._metrics, self._clock = store, bus, metrics, clock
        self._prompts, self._answers = Prompts(store), Answers(store)
        self._sizes: dict[str, int] = {}

    def source(self, run: Run) -> Source:
        """Return what makes the run's batches."""
        return self._answers if run.spec.rejudges else self._prompts

    async def send(
        self,
        record: RunRecord,
        section: RunSection,
        model: str,
        places: Sequence[tuple[int, int]],
        *,
        again: bool = False,
    ) -> int:
        """Publish the trials at these (sample, epoch); return their bytes once they are stored. Raise Full if the queue is."""
        # A second sending must not be taken for a repeat of the first, or the server would drop it.
        sending = max(1, int(self._clock() - record.run.create_time.seconds)) if again else 0
        source = self.source(record.run)
        head = header(record.run, section, model, sending=sending)
        batches = await source.batches(record.run, head, places)
        subject = source.subject(head)
        sizes = await asyncio.gather(*(self._publish(subject, source.kind, batch) for batch in batches))
        self._metrics.trials_sent.labels(model=model).inc(len(places))
        return sum(sizes)

    async def declare_failed(
        self, record: RunRecord, section: RunSection, model: str, places: Sequence[tuple[int, int]], reason: str
    ) -> None:
        """Publish FAILED as the verdict on the trials at these (sample, epoch)."""
        for batch in failed_batches(header(record.run, section, model, sending=0), places, reason):
            await self._publish(streams.WORK_RANKING, "verdicts", batch)

    async def grid(self, record: RunRecord, section: RunSection) -> Grid:
        """Return which (sample, epoch) stands where in the section."""
        spec = record.run.spec
        size = await self._size(section.task)
        return Grid.of(section.task, size, wanted=spec.samples_per_task, epochs=spec.epochs, seed=spec.seed)

    async def _size(self, task: str) -> int:
        if task not in self._sizes:
            card = await self._store.tasks.get(task)
            if card is None:
                raise NotFound(
                    f"the task {task} is gone though a run of it is not ended; import it again", field="task"
                )
            self._sizes[task] = card.sample_count
        return self._sizes[task]

    async def _publish(self, subject: str, kind: str, batch: TrialBatch | CompletionBatch | VerdictBatch) -> int:
        head = batch.header
        about = {"run": head.run, "model": head.model, "task": head.task, "attack": head.attack}
        with tracing.tracer().start_as_current_span(spans.DISPATCH_SEND, kind=SpanKind.PRODUCER, attributes=about):
            data = batch.SerializeToString(deterministic=True)
            await self._bus.publish(Outgoing(subject, content_key(kind, data), data), tracing.inject())
        return len(data)
