from __future__ import annotations

import asyncio

import pytest
from ulid import ULID

from libra.core.errors import Conflict
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.v1.run_pb2 import OutcomeCounts, Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, JudgeSpec

SECTION = RunSection(
    "odd@0123456789ab",
    "few_shots",
    Category.CATEGORY_ADVERSARIAL,
    40,
    JudgeSpec(name="exact", options={"field": "answer", "a.b": "$c"}),
)


def record(request_id: str = "", **fields: str) -> RunRecord:
    spec = RunSpec(models=["one", "two.1"], tasks=["odd@0123456789ab"], judges={"a.b": "exact"})
    run = Run(id=str(ULID()), spec=spec, state=RunState.RUN_STATE_RUNNING, **fields)  # type: ignore[arg-type]  # text fields
    return RunRecord(run=run, sections=[SECTION], request_id=request_id)


async def test_a_run_is_returned_with_its_cursors_at_zero(store: Store) -> None:
    requested = record("mine")
    requested.run.counts.CopyFrom(OutcomeCounts(scored=9))
    stored = await store.runs.insert(requested)
    assert await store.runs.get(requested.run.id) == stored
    assert stored.run.HasField("create_time")
    assert stored.run.revision == 1
    assert not stored.run.HasField("counts")
    assert stored.run.spec == requested.run.spec
    assert stored.sections == (SECTION,)
    assert stored.cursors == {"one": 0, "two.1": 0}
    assert stored.request_id == "mine"
    assert await store.runs.get("unknown") is None


async def test_a_repeated_request_id_returns_the_first_run(store: Store) -> None:
    first = await store.runs.insert(record("mine"))
    assert await store.runs.insert(record("mine")) == first
    again = await asyncio.gather(*(store.runs.insert(record("yours")) for _ in range(4)))
    assert len({one.run.id for one in again}) == 1


async def test_a_second_run_with_the_same_id_is_a_conflict(store: Store) -> None:
    requested = record()
    await store.runs.insert(requested)
    with pytest.raises(Conflict, match=requested.run.id):
        await store.runs.insert(requested)


async def test_a_cursor_never_goes_back(store: Store) -> None:
    run = (await store.runs.insert(record())).run.id
    await store.runs.advance_cursor(run, "two.1", 64)
    await store.runs.advance_cursor(run, "two.1", 32)
    stored = await store.runs.get(run)
    assert stored
    assert stored.cursors == {"one": 0, "two.1": 64}
    with pytest.raises(ValueError, match=r"no model 'two\.2'"):
        await store.runs.advance_cursor(run, "two.2", 1)


async def test_a_run_ends_once(store: Store) -> None:
    run = (await store.runs.insert(record())).run.id
    assert await store.runs.get_state(run) == RunState.RUN_STATE_RUNNING
    assert await store.runs.mark_ended(run, RunState.RUN_STATE_FINISHED)
    assert not await store.runs.mark_ended(run, RunState.RUN_STATE_CANCELLED)
    stored = await store.runs.get(run)
    assert stored
    assert stored.run.state == RunState.RUN_STATE_FINISHED
    assert stored.run.revision == 2
    assert stored.run.end_time.ToDatetime() >= stored.run.create_time.ToDatetime()
    assert await store.runs.get_state(run) == RunState.RUN_STATE_FINISHED
    assert await store.runs.get_state("unknown") is None
    assert not await store.runs.mark_ended("unknown", RunState.RUN_STATE_FINISHED)


async def test_running_and_finished_runs_are_listed_apart(store: Store) -> None:
    runs = [(await store.runs.insert(record())).run.id for _ in range(3)]
    await store.runs.mark_ended(runs[0], RunState.RUN_STATE_FINISHED)
    await store.runs.mark_ended(runs[1], RunState.RUN_STATE_CANCELLED)
    assert [one.run.id for one in await store.runs.list_running()] == [runs[2]]
    assert await store.runs.get_finished_revisions() == {runs[0]: 2}


async def test_a_run_has_one_holder_until_its_lease_expires(store: Store) -> None:
    run = (await store.runs.insert(record())).run.id
    acquired = await asyncio.gather(*(store.runs.acquire_lease(run, f"holder {n}", 0.3) for n in range(4)))
    assert sum(acquired) == 1
    holder = f"holder {acquired.index(True)}"
    assert await store.runs.acquire_lease(run, holder, 0.3)
    assert not await store.runs.acquire_lease(run, "other", 0.3)
    await asyncio.sleep(0.35)
    assert await store.runs.acquire_lease(run, "other", 60)
    assert not await store.runs.acquire_lease(run, holder, 0.3)


async def test_a_released_lease_is_free_at_once_and_an_ended_run_has_none(store: Store) -> None:
    run = (await store.runs.insert(record())).run.id
    assert await store.runs.acquire_lease(run, "$one", 60)
    await store.runs.release_lease(run, "other")
    assert not await store.runs.acquire_lease(run, "other", 60)
    await store.runs.release_lease(run, "$one")
    assert await store.runs.acquire_lease(run, "other", 60)
    await store.runs.mark_ended(run, RunState.RUN_STATE_CANCELLED)
    assert not await store.runs.acquire_lease(run, "other", 60)
    assert not await store.runs.acquire_lease("unknown", "other", 60)


async def test_runs_are_listed_the_newest_first_page_by_page(store: Store) -> None:
    runs = sorted([(await store.runs.insert(record())).run.id for _ in range(5)], reverse=True)
    listed: list[str] = []
    while page := await store.runs.list(before=listed[-1] if listed else "", limit=2):
        listed += [one.run.id for one in page]
    assert listed == runs
