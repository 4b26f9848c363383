"""Build the run that callers see: its stored record with the counts of its progress."""

from __future__ import annotations

from libra.core.outcome_names import total_of
from libra.dispatch.scheduling.run_progress import RunProgress
from libra.v1.run_pb2 import Run, RunState


def build_run_view(progress: RunProgress) -> Run:
    """Return the run with its trials, counts and revision.

    The revision is derived, so that every replica returns the same one: each verdict and the end of the run raise it
    by one.
    """
    run = Run()
    run.CopyFrom(progress.record.run)
    run.trials = progress.trials
    run.counts.CopyFrom(progress.total_counts())
    run.revision = 1 + total_of(run.counts) + (run.state != RunState.RUN_STATE_RUNNING)
    return run
