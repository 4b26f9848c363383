"""Count what every commit came to."""

from __future__ import annotations

from collections.abc import Callable

from libra.store.commit.verdict_commit import Commit
from libra.telemetry.metrics import Metrics
from libra.v1.verdict_pb2 import Outcome


def recorder(metrics: Metrics) -> Callable[[Commit], None]:
    """Return what `Store.verdicts.observe` is to call."""

    def record(commit: Commit) -> None:
        metrics.commit_seconds.observe(commit.seconds)
        metrics.verdicts_repeated.inc(commit.repeats)
        for (model, outcome), count in commit.written.items():
            metrics.verdicts_written.labels(model=model, outcome=outcome_name(outcome)).inc(count)

    return record


def outcome_name(outcome: int) -> str:
    """Return what people call an outcome, for instance "scored"."""
    return Outcome.Name(Outcome.ValueType(outcome)).removeprefix("OUTCOME_").lower()
