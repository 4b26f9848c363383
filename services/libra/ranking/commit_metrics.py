"""Count what every commit came to."""

from __future__ import annotations

from collections.abc import Callable

from libra.contracts.outcomes import outcome_name
from libra.store.commit.verdict_commit import CommitStats
from libra.telemetry.metrics import Metrics


def recorder(metrics: Metrics) -> Callable[[CommitStats], None]:
    """Return what `Store.verdicts.observe` is to call."""

    def record(commit: CommitStats) -> None:
        metrics.commit_seconds.observe(commit.seconds)
        metrics.verdicts_repeated.inc(commit.duplicates)
        for (model, outcome), count in commit.written.items():
            metrics.verdicts_written.labels(model=model, outcome=outcome_name(outcome)).inc(count)

    return record
