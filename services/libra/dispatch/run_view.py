"""Show a run as callers see it: its record, with counts derived from its cells."""

from __future__ import annotations

from collections.abc import Mapping

from libra.contracts import outcomes
from libra.dispatch.scheduling.expansion import total
from libra.store.runs import RunRecord
from libra.v1.run_pb2 import OutcomeCounts, Run, RunState


def present(record: RunRecord, progress: Mapping[str, OutcomeCounts]) -> Run:
    """Return the run with its trials, counts and revision.

    The revision is derived too, so that every replica gives the same one: each verdict and the end raise it by one.
    """
    counts = OutcomeCounts(
        scored=sum(model.scored for model in progress.values()),
        filtered=sum(model.filtered for model in progress.values()),
        unjudged=sum(model.unjudged for model in progress.values()),
        failed=sum(model.failed for model in progress.values()),
    )
    run = Run()
    run.CopyFrom(record.run)
    run.trials = total(record.sections) * len(record.run.spec.models)
    run.counts.CopyFrom(counts)
    run.revision = 1 + outcomes.total_of(counts) + (record.run.state != RunState.RUN_STATE_RUNNING)
    return run
