"""The events of ended runs and failed firings."""

from __future__ import annotations

from datetime import UTC, datetime

from libra.core import event_types
from libra.core.outcome_names import OUTCOMES
from libra.dispatch.scheduling.run_progress import RunProgress
from libra.store.continuous.schedules import date_of
from libra.store.continuous.webhooks import Event
from libra.v1.run_pb2 import RunState
from libra.v1.schedule_pb2 import Firing


def run_event(progress: RunProgress) -> Event:
    """Return the event of a run that has ended, or that has used up its budget: each time is an event of its own."""
    record, counts = progress.record, progress.total_counts()
    run, subject = record.run, f"runs/{record.run.id}"
    time = run.end_time.ToDatetime(tzinfo=UTC)
    if run.state == RunState.RUN_STATE_BUDGET_EXHAUSTED:
        kind, subject, time = event_types.BUDGET_REACHED, f"{subject}/changes/{record.changes}", datetime.now(UTC)
    elif run.state == RunState.RUN_STATE_CANCELLED:
        kind = event_types.RUN_CANCELLED
    else:
        has_score = counts.scored or counts.filtered
        kind = event_types.RUN_FINISHED if has_score else event_types.RUN_FAILED
    data = {
        "run": run.id,
        "name": run.spec.name,
        "models": list(run.spec.models),
        "trials": progress.trials,
        "counts": {name: int(getattr(counts, name)) for name in OUTCOMES},
    }
    return Event(kind, subject, data, time, run.team)


def firing_event(firing: Firing) -> Event:
    """Return the event of a firing that failed."""
    data = {
        "firing": firing.id,
        "schedule": firing.schedule,
        "time": firing.time.ToJsonString(),
        "model": firing.model,
        "reason": firing.reason,
    }
    return Event(event_types.FIRING_FAILED, f"firings/{firing.id}", data, date_of(firing.time), firing.team)
