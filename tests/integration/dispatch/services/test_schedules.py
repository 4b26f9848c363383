"""Create, trigger, pause and delete schedules, and the runs that they create."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libra.core.errors import Conflict, FailedPrecondition, Invalid, LibraError, NotFound
from libra.dispatch.schedules.template import run_request
from libra.rpc.client import call
from libra.v1.model_pb2 import DeleteModelRequest, Model, Provider
from libra.v1.run_pb2 import ListRunsRequest, Run, RunSpec
from libra.v1.schedule_pb2 import (
    CreateScheduleRequest,
    CreateScheduleResponse,
    DeleteScheduleRequest,
    Firing,
    FiringState,
    GetScheduleRequest,
    ListFiringsRequest,
    ListSchedulesRequest,
    OverlapPolicy,
    PauseScheduleRequest,
    ResumeScheduleRequest,
    Schedule,
    TriggerScheduleRequest,
)

from .caller import SECONDS, Dispatch

EACH_SECOND = "* * * * * *"


async def create(dispatch: Dispatch, *, preview: bool = False, **fields: Any) -> CreateScheduleResponse:
    spec: dict[str, Any] = {
        "name": "s",
        "template": RunSpec(models=["refuser"], tasks=["mine"]),
        "cron": "0 2 * * *",
    } | fields
    request = CreateScheduleRequest(schedule=Schedule(**spec), preview=preview)
    created: CreateScheduleResponse = await call(dispatch.schedules.CreateSchedule, request, SECONDS)
    return created


async def firings(dispatch: Dispatch, schedule: str = "s") -> list[Firing]:
    return list((await call(dispatch.schedules.ListFirings, ListFiringsRequest(schedule=schedule), SECONDS)).firings)


async def runs(dispatch: Dispatch) -> list[Run]:
    return list((await call(dispatch.runs.ListRuns, ListRunsRequest(), SECONDS)).runs)


async def settled(dispatch: Dispatch, count: int, replicas: int = 2) -> list[Firing]:
    """Let workers fire schedules until `count` firings are settled; return the firings, the oldest first."""
    stop = asyncio.Event()
    worker: Any = next(
        work for work in dispatch.wiring.workers if "ScheduleWorker" in getattr(work, "__qualname__", "")
    )
    works = [asyncio.create_task(worker(stop)) for _ in range(replicas)]
    try:
        async with asyncio.timeout(30):
            while True:
                found = await firings(dispatch)
                if sum(each.state > FiringState.FIRING_STATE_STARTING for each in found) >= count:
                    return found[::-1]
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await asyncio.gather(*works)


async def test_a_schedule_is_shown_with_its_next_times_in_its_zone(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    preview = await create(dispatch, zone="Europe/Berlin", preview=True)
    assert len(preview.next_times) == 5
    assert (await call(dispatch.schedules.ListSchedules, ListSchedulesRequest(), SECONDS)).schedules == []
    created = await create(dispatch, zone="Europe/Berlin")
    assert created.schedule.overlap == OverlapPolicy.OVERLAP_POLICY_SKIP
    assert created.schedule.next_time == created.next_times[0]
    assert not created.trigger_token
    shown = await call(dispatch.schedules.GetSchedule, GetScheduleRequest(name="s"), SECONDS)
    assert (shown.schedule, list(shown.next_times)) == (created.schedule, list(created.next_times))
    assert (await create(dispatch, zone="Europe/Berlin")).schedule == created.schedule
    with pytest.raises(Conflict, match="libra schedule delete s"):
        await create(dispatch, zone="Europe/Paris")
    for name in ("a", "b"):
        await create(dispatch, name=name)
    listed = await call(dispatch.schedules.ListSchedules, ListSchedulesRequest(page_size=2), SECONDS)
    assert [each.name for each in listed.schedules] == ["a", "b"]
    request = ListSchedulesRequest(page_size=2, page_token=listed.next_page_token)
    assert [each.name for each in (await call(dispatch.schedules.ListSchedules, request, SECONDS)).schedules] == ["s"]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"cron": "0 0 30 2 *"}, "schedule.cron", "never matches"),
        ({"cron": "0 2 * *"}, "schedule.cron", "five fields"),
        ({"cron": ""}, "schedule.cron", "nothing fires"),
        ({"zone": "Europe/Berlinn"}, "schedule.zone", "did you mean Europe/Berlin"),
        ({"cron": "", "on_trigger": True, "zone": "UTC"}, "schedule.zone", "needs a cron expression"),
        ({"name": "-x"}, "schedule.name", "not a valid name"),
        ({"overlap": 9}, "schedule.overlap", "no policy"),
        ({"missed": 9}, "schedule.missed", "no policy"),
        ({"template": RunSpec(models=["refusr"], tasks=["mine"])}, "schedule.template.models[0]", "mean refuser"),
        ({"template": RunSpec(models=["refuser"], tasks=["min"])}, "schedule.template.tasks[0]", "mean mine"),
        ({"template": RunSpec(models=["{model}"], tasks=["mine"])}, "schedule.template.models", "has none"),
        ({"cron": "", "on_model": "*"}, "schedule.template.models", "name the model {model}"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_invalid_schedule_is_not_created_and_its_field_is_named(
    dispatch: Dispatch, fields: dict[str, Any], field: str, words: str
) -> None:
    await dispatch.import_task()
    with pytest.raises(Invalid) as refused:
        await create(dispatch, **fields)
    assert refused.value.field == field
    assert words in str(refused.value)
    assert (await call(dispatch.schedules.ListSchedules, ListSchedulesRequest(), SECONDS)).schedules == []
    assert await firings(dispatch, "") == []


async def test_each_time_creates_one_run_with_two_workers(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await create(dispatch, cron=EACH_SECOND, overlap=OverlapPolicy.OVERLAP_POLICY_ALLOW)
    found = await settled(dispatch, 3)
    started = [each for each in found if each.state == FiringState.FIRING_STATE_STARTED]
    created = {run.id: run for run in await runs(dispatch)}
    assert {each.run for each in started} == set(created)
    assert len(started) == len(created)
    assert {run.spec.name for run in created.values()} == {"s"}
    times = [each.time.ToMilliseconds() for each in found]
    assert times == sorted(set(times))


async def test_while_a_run_has_not_ended_the_next_time_is_skipped(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await create(dispatch, cron=EACH_SECOND)
    first, second, *_ = await settled(dispatch, 2)
    [run] = await runs(dispatch)
    assert (first.state, first.run) == (FiringState.FIRING_STATE_STARTED, run.id)
    assert second.state == FiringState.FIRING_STATE_SKIPPED
    assert second.reason == f"the run {run.id} had not ended"


async def test_a_template_whose_model_is_gone_fails_its_firing(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await create(dispatch, cron=EACH_SECOND)
    await call(dispatch.models.DeleteModel, DeleteModelRequest(name="refuser"), SECONDS)
    [failed, *_] = await settled(dispatch, 1)
    assert failed.state == FiringState.FIRING_STATE_FAILED
    assert failed.reason.startswith("models[0]: there is no model 'refuser'")
    assert await runs(dispatch) == []


async def test_a_new_model_creates_a_run_with_it(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    template = RunSpec(models=["refuser", "{model}"], tasks=["mine"])
    await create(dispatch, cron="", on_model="release-*", template=template)
    await dispatch.store.models.add(Model(name="mine", provider=Provider.PROVIDER_SCRIPTED, remote_model="careful"))
    await dispatch.store.models.add(
        Model(name="release-1", provider=Provider.PROVIDER_SCRIPTED, remote_model="careful")
    )
    [firing] = await settled(dispatch, 1)
    assert firing.model == "release-1"
    assert [list(run.spec.models) for run in await runs(dispatch)] == [["refuser", "release-1"]]


async def test_a_trigger_needs_the_token_and_fires_once_for_each_request_id(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    template = RunSpec(models=["{model}"], tasks=["mine"])
    created = await create(dispatch, cron="", on_trigger=True, template=template)
    assert len(created.trigger_token) >= 32
    assert created.trigger_token not in str(await dispatch.store._database["schedules"].find_one({}))

    async def trigger(**fields: str) -> Firing:
        given = {"name": "s", "token": created.trigger_token, "model": "refuser"} | fields
        fired: Firing = (
            await call(dispatch.schedules.TriggerSchedule, TriggerScheduleRequest(**given), SECONDS)
        ).firing
        return fired

    refused: list[tuple[dict[str, str], type[LibraError], str]] = [
        ({"token": "x"}, Invalid, "not the token"),
        ({"token": ""}, Invalid, "not the token"),
        ({"model": ""}, Invalid, "name the model"),
        ({"model": "refusr"}, NotFound, "did you mean refuser"),
        ({"name": "t"}, NotFound, "no schedule 't'"),
        ({"request_id": "x" * 65}, Invalid, "64 characters"),
    ]
    for fields, kind, words in refused:
        with pytest.raises(kind, match=words):
            await trigger(**fields)
    assert await firings(dispatch) == []
    first = await trigger(request_id="one")
    assert await trigger(request_id="one") == first
    with pytest.raises(Conflict, match="another request"):
        await trigger(request_id="one", model="complier")
    await settled(dispatch, 1)
    [fired] = await firings(dispatch)
    again = await trigger(request_id="one")
    assert (again.run, again.state) == (fired.run, FiringState.FIRING_STATE_STARTED)
    await call(dispatch.schedules.PauseSchedule, PauseScheduleRequest(name="s"), SECONDS)
    with pytest.raises(FailedPrecondition, match="paused"):
        await trigger()
    await create(dispatch, name="timed")
    with pytest.raises(FailedPrecondition, match="cannot be triggered"):
        await trigger(name="timed")


async def test_a_paused_schedule_has_no_next_time_until_it_is_resumed(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await create(dispatch)
    paused = (await call(dispatch.schedules.PauseSchedule, PauseScheduleRequest(name="s"), SECONDS)).schedule
    assert (paused.paused, paused.HasField("next_time")) == (True, False)
    shown = await call(dispatch.schedules.GetSchedule, GetScheduleRequest(name="s"), SECONDS)
    assert list(shown.next_times) == []
    assert (await call(dispatch.schedules.PauseSchedule, PauseScheduleRequest(name="s"), SECONDS)).schedule == paused
    resumed = (await call(dispatch.schedules.ResumeSchedule, ResumeScheduleRequest(name="s"), SECONDS)).schedule
    assert (resumed.paused, resumed.HasField("next_time")) == (False, True)
    await call(dispatch.schedules.DeleteSchedule, DeleteScheduleRequest(name="s"), SECONDS)
    for method, request in (
        ("DeleteSchedule", DeleteScheduleRequest(name="s")),
        ("PauseSchedule", PauseScheduleRequest(name="s")),
        ("ListFirings", ListFiringsRequest(schedule="s")),
    ):
        with pytest.raises(NotFound, match="no schedule 's'"):
            await call(getattr(dispatch.schedules, method), request, SECONDS)


async def test_a_crash_after_the_run_was_created_creates_no_second_run(dispatch: Dispatch) -> None:
    """The firing is STARTING in the store, and its run exists, although it is not recorded."""
    await dispatch.import_task()
    created = await create(dispatch, cron="", on_trigger=True)
    firing = Firing(id="f", schedule="s", schedule_id=created.schedule.id, state=FiringState.FIRING_STATE_STARTING)
    firing.time.GetCurrentTime()
    await dispatch.store.firings.insert(firing)
    request = run_request(created.schedule, firing)
    run = (await call(dispatch.runs.CreateRun, request, SECONDS)).run
    await call(dispatch.models.DeleteModel, DeleteModelRequest(name="complier"), SECONDS)
    [settled_firing] = await settled(dispatch, 1)
    assert settled_firing.run == run.id
    assert len(await runs(dispatch)) == 1


async def test_firings_are_listed_in_pages(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    created = await create(dispatch, cron="", on_trigger=True)
    for _ in range(5):
        request = TriggerScheduleRequest(name="s", token=created.trigger_token)
        await call(dispatch.schedules.TriggerSchedule, request, SECONDS)
    everything = await firings(dispatch)
    paged: list[Firing] = []
    listing = ListFiringsRequest(page_size=2)
    while not paged or listing.page_token:
        page = await call(dispatch.schedules.ListFirings, listing, SECONDS)
        paged += page.firings
        listing.page_token = page.next_page_token
    assert paged == everything
    assert len(everything) == 5
