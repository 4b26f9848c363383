from __future__ import annotations

import asyncio

import pytest
from ulid import ULID

from libra.errors import Conflict
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


async def test_a_run_comes_back_with_its_cursors_at_nothing(store: Store) -> None:
    asked = record("mine")
    asked.run.counts.CopyFrom(OutcomeCounts(scored=9))
    kept = await store.runs.insert(asked)
    assert await store.runs.get(asked.run.id) == kept
    assert kept.run.HasField("create_time")
    assert kept.run.revision == 1
    assert not kept.run.HasField("counts")
    assert kept.run.spec == asked.run.spec
    assert kept.sections == (SECTION,)
    assert kept.cursors == {"one": 0, "two.1": 0}
    assert kept.request_id == "mine"
    assert await store.runs.get("nobody") is None


async def test_a_repeat_of_a_request_returns_the_first_run(store: Store) -> None:
    first = await store.runs.insert(record("mine"))
    assert await store.runs.insert(record("mine")) == first
    again = await asyncio.gather(*(store.runs.insert(record("yours")) for _ in range(4)))
    assert len({one.run.id for one in again}) == 1


async def test_an_id_is_given_once(store: Store) -> None:
    asked = record()
    await store.runs.insert(asked)
    with pytest.raises(Conflict, match=asked.run.id):
        await store.runs.insert(asked)


async def test_a_cursor_never_goes_back(store: Store) -> None:
    run = (await store.runs.insert(record())).run.id
    await store.runs.advance_cursor(run, "two.1", 64)
    await store.runs.advance_cursor(run, "two.1", 32)
    kept = await store.runs.get(run)
    assert kept
    assert kept.cursors == {"one": 0, "two.1": 64}
    with pytest.raises(ValueError, match=r"no model 'two\.2'"):
        await store.runs.advance_cursor(run, "two.2", 1)


async def test_a_run_ends_once(store: Store) -> None:
    run = (await store.runs.insert(record())).run.id
    assert await store.runs.get_state(run) == RunState.RUN_STATE_RUNNING
    assert await store.runs.mark_ended(run, RunState.RUN_STATE_FINISHED)
    assert not await store.runs.mark_ended(run, RunState.RUN_STATE_CANCELLED)
    kept = await store.runs.get(run)
    assert kept
    assert kept.run.state == RunState.RUN_STATE_FINISHED
    assert kept.run.revision == 2
    assert kept.run.end_time.ToDatetime() >= kept.run.create_time.ToDatetime()
    assert await store.runs.get_state(run) == RunState.RUN_STATE_FINISHED
    assert await store.runs.get_state("nobody") is None
    assert not await store.runs.mark_ended("nobody", RunState.RUN_STATE_FINISHED)


async def test_active_and_finished_runs_are_told_apart(store: Store) -> None:
    runs = [(await store.runs.insert(record())).run.id for _ in range(3)]
    await store.runs.mark_ended(runs[0], RunState.RUN_STATE_FINISHED)
    await store.runs.mark_ended(runs[1], RunState.RUN_STATE_CANCELLED)
    assert [one.run.id for one in await store.runs.list_running()] == [runs[2]]
    assert await store.runs.get_finished_revisions() == {runs[0]: 2}


async def test_a_run_is_one_holders_until_its_lease_is_over(store: Store) -> None:
    run = (await store.runs.insert(record())).run.id
    claims = await asyncio.gather(*(store.runs.acquire_lease(run, f"holder {n}", 0.3) for n in range(4)))
    assert sum(claims) == 1
    holder = f"holder {claims.index(True)}"
    assert await store.runs.acquire_lease(run, holder, 0.3)
    assert not await store.runs.acquire_lease(run, "other", 0.3)
    await asyncio.sleep(0.35)
    assert await store.runs.acquire_lease(run, "other", 60)
    assert not await store.runs.acquire_lease(run, holder, 0.3)


async def test_a_run_given_back_is_free_at_once_and_an_ended_one_is_nobodys(store: Store) -> None:
    run = (await store.runs.insert(record())).run.id
    assert await store.runs.acquire_lease(run, "$one", 60)
    await store.runs.release_lease(run, "other")
    assert not await store.runs.acquire_lease(run, "other", 60)
    await store.runs.release_lease(run, "$one")
    assert await store.runs.acquire_lease(run, "other", 60)
    await store.runs.mark_ended(run, RunState.RUN_STATE_CANCELLED)
    assert not await store.runs.acquire_lease(run, "other", 60)
    assert not await store.runs.acquire_lease("nobody", "other", 60)


async def test_runs_are_listed_the_newest_first_page_by_page(store: Store) -> None:
    runs = sorted([(await store.runs.insert(record())).run.id for _ in range(5)], reverse=True)
    met: list[str] = []
    while page := await store.runs.list(before=met[-1] if met else "", limit=2):
        met += [one.run.id for one in page]
    assert met == runs
