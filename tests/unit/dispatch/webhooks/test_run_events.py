from __future__ import annotations

from libra.core import event_types
from libra.dispatch.scheduling.run_progress import RunProgress
from libra.dispatch.webhooks.run_events import run_event
from libra.store.runs import RunRecord
from libra.v1.run_pb2 import Run, RunState


def event_of(changes: int) -> tuple[str, str]:
    run = Run(id="01RUN", state=RunState.RUN_STATE_BUDGET_EXHAUSTED)
    event = run_event(RunProgress(RunRecord(run, [], changes=changes), {}))
    return event.type, event.id


def test_each_time_that_a_run_uses_up_its_budget_is_an_event_of_its_own() -> None:
    assert event_of(1)[0] == event_types.BUDGET_REACHED
    assert event_of(1) == event_of(1)
    assert event_of(1) != event_of(3)
