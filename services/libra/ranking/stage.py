"""The ranking stage: writes the verdicts of each batch with the sums of their cells, and marks their run as changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from libra.core.outcome_names import OUTCOMES, outcome_name
from libra.ranking.settings import Settings
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject
from libra.stage.policy import Policy
from libra.stage.runner import Stage
from libra.store.client import Store
from libra.store.commit.verdict_commit import CommitStats
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import VerdictBatch


def stage(store: Store, mark_changed: Callable[[str], None], settings: Settings) -> Stage[VerdictBatch]:
    """Return the stage. It calls `mark_changed` with the id of each run that has new verdicts."""

    async def handle(batch: VerdictBatch) -> Sequence[Outgoing]:
        await write_verdicts(batch, store, mark_changed)
        return ()

    return Stage(
        name="ranking",
        decode=VerdictBatch.FromString,
        handle=handle,
        policy=Policy(slots=settings.slots),
        trials=lambda batch: (batch.header.model, len(batch.verdicts)),
    )


async def write_verdicts(batch: VerdictBatch, store: Store, mark_changed: Callable[[str], None]) -> None:
    """Write the batch; raise Reject if it can never be written. A trial that has a verdict keeps it."""
    try:
        new = await store.verdicts.write([batch])
    except ValueError as error:
        raise Reject(str(error)) from error
    if new:
        mark_changed(batch.header.run)


def commit_observer(metrics: Metrics) -> Callable[[CommitStats], None]:
    """Return the observer for `Store.verdicts.add_observer` that records every commit in the metrics."""

    def record(stats: CommitStats) -> None:
        metrics.commit_seconds.observe(stats.seconds)
        metrics.verdicts_repeated.inc(stats.duplicates)
        for (model, outcome), count in stats.written.items():
            for name in OUTCOMES:  # an increase from nothing is not a rate
                metrics.verdicts_written.labels(model=model, outcome=name)
            metrics.verdicts_written.labels(model=model, outcome=outcome_name(outcome)).inc(count)

    return record
