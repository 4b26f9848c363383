"""The contract of schedules and firings: of the store on a real mongod, and of the one in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libra.core.errors import Conflict
from libra.store.continuous.schedules import FiringPosition, ScheduleRecord, date_of
from libra.v1.run_pb2 import RunSpec
from libra.v1.schedule_pb2 import Firing, FiringState, Schedule

from .any_store import AnyStore, Connect

PENDING, STARTING = FiringState.FIRING_STATE_PENDING, FiringState.FIRING_STATE_STARTING
STARTED, FAILED = FiringState.FIRING_STATE_STARTED, FiringState.FIRING_STATE_FAILED
PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(connect: Connect) -> AnyStore:
    return connect(0)


def schedule(name: str, next_time: datetime | None = None, **fields: Any) -> ScheduleRecord:
    made = Schedule(name=name, id=f"id-{name}", template=RunSpec(models=["m"], tasks=["*"]), **fields)
    if next_time:
        made.next_time.FromDatetime(next_time)
    return ScheduleRecord(made, token_hash="ab")


def firing(number: int, state: FiringState.ValueType = PENDING, schedule: str = "s") -> Firing:
    made = Firing(id=f"f{number}", schedule=schedule, schedule_id="id", state=state)
    made.time.FromDatetime(PAST + timedelta(hours=number // 2))
    return made


async def test_a_schedule_is_stored_once_under_its_name(store: AnyStore) -> None:
    stored = await store.schedules.insert(schedule("nightly", FUTURE, cron="0 2 * * *"))
    assert stored.schedule.HasField("create_time")
    assert await store.schedules.get("nightly") == stored
    assert await store.schedules.get("other") is None
    with pytest.raises(Conflict, match="nightly"):
        await store.schedules.insert(schedule("nightly"))
    await store.schedules.insert(schedule("a"))
    assert [each.schedule.name for each in await store.schedules.list(limit=9)] == ["a", "nightly"]
    assert [each.schedule.name for each in await store.schedules.list(after="a", limit=9)] == ["nightly"]
    assert await store.schedules.delete("a")
    assert not await store.schedules.delete("a")


async def test_a_due_schedule_is_moved_on_once(store: AnyStore) -> None:
    for name, time in (("due", PAST), ("later", FUTURE), ("never", None)):
        await store.schedules.insert(schedule(name, time))
    [due] = await store.schedules.list_due()
    assert due.record.schedule.name == "due"
    assert abs((due.now - datetime.now(UTC)).days) < 365 * 20
    assert await store.schedules.advance(due.record.schedule, FUTURE)
    assert not await store.schedules.advance(due.record.schedule, FUTURE)
    assert await store.schedules.list_due() == []


async def test_a_paused_schedule_is_never_due(store: AnyStore) -> None:
    record = await store.schedules.insert(schedule("due", PAST, on_model="*"))
    assert await store.schedules.pause(record.schedule)
    assert not await store.schedules.pause(record.schedule)
    assert await store.schedules.list_due() == []
    assert await store.schedules.list_by_model() == []
    assert not await store.schedules.advance(record.schedule, FUTURE)
    assert await store.schedules.resume(record.schedule, PAST, FUTURE)
    assert not await store.schedules.resume(record.schedule, PAST, FUTURE)
    resumed = await store.schedules.get("due")
    assert resumed is not None
    assert date_of(resumed.schedule.next_time) == FUTURE
    assert date_of(resumed.schedule.start_time) == PAST
    assert [each.schedule.name for each in await store.schedules.list_by_model()] == ["due"]


async def test_one_of_two_firings_is_activated(store: AnyStore) -> None:
    record = await store.schedules.insert(schedule("s"))
    assert await store.schedules.activate(record, "one")
    assert not await store.schedules.activate(record, "two")
    again = await store.schedules.get("s")
    assert again is not None
    assert again.active == "one"
    await store.schedules.delete("s")
    other = schedule("s")
    other.schedule.id = "another"
    await store.schedules.insert(other)
    assert not await store.schedules.activate(record, "two")


async def test_a_firing_is_stored_once_and_settled_once(store: AnyStore) -> None:
    assert await store.firings.insert(firing(1))
    assert not await store.firings.insert(firing(1, STARTED))
    assert await store.firings.get("f1") == firing(1)
    assert await store.firings.find_existing(["f1", "f2"]) == {"f1"}
    assert await store.firings.settle(firing(1), [PENDING], Firing(state=STARTING))
    assert not await store.firings.settle(firing(1), [PENDING], Firing(state=FAILED))
    assert [each.id for each in await store.firings.list_open()] == ["f1"]
    assert await store.firings.list_unannounced(9) == []
    assert await store.firings.settle(firing(1), [STARTING], Firing(state=FAILED, reason="gone"))
    assert await store.firings.list_open() == []
    [failed] = await store.firings.list_unannounced(9)
    assert (failed.id, failed.reason) == ("f1", "gone")
    await store.firings.mark_announced("f1")
    assert await store.firings.list_unannounced(9) == []


async def test_firings_are_listed_from_the_newest_in_pages(store: AnyStore) -> None:
    for number in range(6):
        await store.firings.insert(firing(number, schedule="s" if number != 3 else "t"))
    everything = await store.firings.list(limit=9)
    assert [each.id for each in everything] == ["f5", "f4", "f3", "f2", "f1", "f0"]
    last = everything[2]
    rest = await store.firings.list(before=FiringPosition(date_of(last.time), last.id), limit=9)
    assert [each.id for each in rest] == ["f2", "f1", "f0"]
    assert [each.id for each in await store.firings.list(schedule="t", limit=9)] == ["f3"]
    assert [each.id for each in await store.firings.list_open()] == ["f0", "f1", "f2", "f3", "f4", "f5"]
