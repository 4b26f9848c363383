"""A schedule fires for the registrations of models that it names."""

from __future__ import annotations

import pytest

from libra.dispatch.schedules.model_events import fires
from libra.v1.model_pb2 import Model
from libra.v1.schedule_pb2 import Schedule


def fires_for(owner: str, team: str, name: str = "release-2") -> bool:
    model, schedule = Model(name=name, team=owner), Schedule(on_model="release-*", team=team)
    model.create_time.FromSeconds(2)
    schedule.start_time.FromSeconds(1)
    return fires(schedule, model)


@pytest.mark.parametrize(
    ("owner", "team", "expected"),
    [("", "", True), ("", "red", True), ("red", "red", True), ("red", "", False), ("red", "blue", False)],
)
def test_a_schedule_fires_for_the_models_that_its_runs_see(owner: str, team: str, *, expected: bool) -> None:
    assert fires_for(owner, team) is expected


def test_another_name_does_not_fire() -> None:
    assert not fires_for("", "", "test-1")
