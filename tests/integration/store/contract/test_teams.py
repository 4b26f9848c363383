"""The contract of what a team sees and changes: of the store on a real mongod, and of the one in memory."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from libra.core.access.team_scope import acting_for
from libra.core.errors import Conflict
from libra.store.continuous.schedules import ScheduleRecord
from libra.store.continuous.webhooks import Event
from libra.store.runs import CANCELLED, RUNNING, RunRecord
from libra.v1.model_pb2 import Model
from libra.v1.run_pb2 import Run, RunSpec
from libra.v1.schedule_pb2 import Firing, FiringState, Schedule
from libra.v1.task_pb2 import Sample, Task
from libra.v1.webhook_pb2 import DeliveryState, Webhook

from .any_store import AnyStore, Connect

TIME = datetime(2026, 1, 1, tzinfo=UTC)
TEAMS = ("", "red", "blue")
SEEN = {None: {"", "red", "blue"}, "": {""}, "red": {"", "red"}, "blue": {"", "blue"}}
"""The owners of what the work for a team sees."""


@pytest.fixture
def store(connect: Connect) -> AnyStore:
    return connect(0)


def named(team: str) -> str:
    return f"of-{team or 'all'}"


async def add_run(store: AnyStore, team: str) -> None:
    run = Run(id=named(team), spec=RunSpec(models=["m"]), state=RUNNING, team=team)
    await store.runs.insert(RunRecord(run, [], request_id=named(team)))


async def test_a_team_sees_and_ends_its_runs(store: AnyStore) -> None:
    for team in TEAMS:
        await add_run(store, team)
    for viewer, owners in SEEN.items():
        with acting_for(viewer):
            assert {each.run.team for each in await store.runs.list(limit=9)} == owners
            assert {each.run.team for each in await store.runs.list_running()} == owners
            for owner in TEAMS:
                is_seen = owner in owners
                assert (await store.runs.get(named(owner)) is not None) == is_seen
                assert (await store.runs.get_state(named(owner)) is not None) == is_seen
                assert (await store.runs.find_by_request_id(named(owner)) is not None) == is_seen
    with acting_for("red"):
        assert not await store.runs.mark_ended(named(""), CANCELLED)
        assert not await store.runs.change_state(named("blue"), {RUNNING}, CANCELLED)
        assert await store.runs.mark_ended(named("red"), CANCELLED)


async def test_a_team_sees_and_deletes_its_models(store: AnyStore) -> None:
    for team in TEAMS:
        await store.models.add(Model(name=named(team), team=team))
    for viewer, owners in SEEN.items():
        with acting_for(viewer):
            assert {each.team for each in await store.models.list()} == owners
            assert {owner for owner in TEAMS if await store.models.get(named(owner))} == owners
    with acting_for("red"):
        assert await store.models.update(named(""), {"limits.max_in_flight": 1}) is None
        assert not await store.models.delete(named("blue"))
        with pytest.raises(Conflict, match="the name 'of-blue' is taken; use another name"):
            await store.models.add(Model(name=named("blue"), team="red"))
        assert await store.models.delete(named("red"))


async def test_a_team_sees_its_tasks(store: AnyStore) -> None:
    for version, team in enumerate(TEAMS):
        await store.tasks.add(Task(name="t", version=str(version), sample_count=1, team=team), [Sample()])
    for viewer, owners in SEEN.items():
        with acting_for(viewer):
            assert {owner for version, owner in enumerate(TEAMS) if await store.tasks.get(f"t@{version}")} == owners
    with acting_for("red"):
        newest = await store.tasks.get("t")
        assert newest is not None
        assert newest.team == "red"


async def test_a_team_sees_and_changes_its_schedules(store: AnyStore) -> None:
    for team in TEAMS:
        schedule = Schedule(name=named(team), id=named(team), template=RunSpec(models=["m"]), team=team)
        await store.schedules.insert(ScheduleRecord(schedule))
        firing = Firing(id=named(team), schedule=named(team), state=FiringState.FIRING_STATE_PENDING, team=team)
        firing.time.FromDatetime(TIME)
        await store.firings.insert(firing)
    for viewer, owners in SEEN.items():
        with acting_for(viewer):
            assert {each.schedule.team for each in await store.schedules.list(limit=9)} == owners
            assert {owner for owner in TEAMS if await store.schedules.get(named(owner))} == owners
            assert {each.team for each in await store.firings.list(limit=9)} == owners
    with acting_for("red"):
        assert not await store.schedules.pause(Schedule(name=named(""), id=named("")))
        assert not await store.schedules.delete(named("blue"))
        with pytest.raises(Conflict, match="is taken; use another name"):
            await store.schedules.insert(ScheduleRecord(Schedule(name=named("blue"), id="x", team="red")))
        assert await store.schedules.delete(named("red"))


async def test_a_team_sees_its_webhooks_and_the_deliveries_of_its_events(store: AnyStore) -> None:
    event = {team: Event("libra.run.finished", f"runs/{team}", {}, TIME, team) for team in TEAMS}
    hook = {team: Webhook(name=named(team), id=named(team), secret_version=1, team=team) for team in TEAMS}
    for team in TEAMS:
        await store.webhooks.insert(hook[team])
        await store.events.emit(event[team])
        await store.deliveries.insert(event[team], hook[""], "")
    await store.deliveries.insert(event[""], hook["red"], "")
    assert {each.team for each in await store.events.list_pending(9)} == set(TEAMS)
    for viewer, owners in SEEN.items():
        with acting_for(viewer):
            assert {each.team for each in await store.webhooks.list()} == owners
            assert {owner for owner in TEAMS if await store.webhooks.get(named(owner))} == owners
            found = await store.deliveries.list(limit=9)
            assert {each.team for each in found} == owners
            assert len(found) == len(owners) + ("red" in owners)
    while record := await store.deliveries.claim(60):
        await store.deliveries.settle(record, DeliveryState.DELIVERY_STATE_DEAD, "x")
    everything = await store.deliveries.list(limit=9)
    with acting_for("red"):
        assert not await store.webhooks.delete(named(""))
        assert {each.team for each in everything if await store.deliveries.replay(each.id)} == {"red"}
        with pytest.raises(Conflict, match="is taken; use another name"):
            await store.webhooks.insert(Webhook(name=named("blue"), id="x", team="red"))
