"""The contract of the collections of rounds: of the real ones on a real mongod, and of those in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from libra.commitment.commitment import TaskDraw
from libra.commitment.samples import content_hash
from libra.core.errors import Conflict, NotFound
from libra.local.servers import MongoServer
from libra.store import indexes
from libra.store.client import Store
from libra.store.rounds.round_samples import RoundSample
from libra.store.rounds.rounds import ABANDONED_AFTER, CLOSED, OPEN, OPENING, RoundRecord
from libra.testing.memory import MemoryServer, MemoryStore
from libra.v1.message_pb2 import Message
from libra.v1.round_pb2 import SealedLook
from libra.v1.task_pb2 import Sample, Task

AnyStore = Store | MemoryStore
DRAW = TaskDraw("math", "math@0123456789ab", samples=3, anchors=0, pool=[[0, 4]], reserved=1)
TEXTS = [Sample(ordinal=n, id=f"#{n}", messages=[Message(role="user", content=f"{n} + 1?")]) for n in range(4)]


@pytest.fixture(params=["memory", "mongo"])
async def any_store(request: pytest.FixtureRequest) -> AsyncIterator[AnyStore]:
    if request.param == "memory":
        yield MemoryStore(MemoryServer())
        return
    mongo: MongoServer = request.getfixturevalue("mongo_server")
    store = Store.connect(mongo.url, request.getfixturevalue("database"))
    await store.ensure_indexes()
    yield store
    await store.close()


def record(name: str = "2027Q1", follows: str = "") -> RoundRecord:
    return RoundRecord(name, b"seed", canary="CANARY", key_hash="00", tasks=(DRAW,), samples=3, follows=follows)


def samples(round_name: str = "2027Q1", count: int = 3) -> list[RoundSample]:
    return [
        RoundSample(
            round=round_name,
            index=n,
            task="math",
            ordinal=n,
            salt=bytes([n]),
            leaf=bytes([n] * 32),
            content=content_hash(TEXTS[n]),
            source=DRAW.source,
            source_ordinal=n,
            anchor=False,
            reserved=n == 0,
        )
        for n in range(count)
    ]


async def opened(store: AnyStore, name: str = "2027Q1", follows: str = "") -> RoundRecord:
    reserved = await store.rounds.reserve(record(name, follows))
    await asyncio.sleep(0.002)  # an open_time is stored to the millisecond
    return await store.rounds.publish(reserved, b"{}")


async def test_a_round_is_reserved_then_open_then_closed(any_store: AnyStore) -> None:
    rounds = any_store.rounds
    reserved = await rounds.reserve(record())
    assert await rounds.get("2027Q1") == reserved
    assert (reserved.state, reserved.commitment, reserved.tasks) == (OPENING, b"", (DRAW,))
    await rounds.close("2027Q1", release_anchors=False)
    assert await rounds.get("2027Q1") == reserved
    published = await rounds.publish(reserved, b'{"format": 1}')
    assert await rounds.get("2027Q1") == published
    assert (published.state, published.commitment) == (OPEN, b'{"format": 1}')
    closed = await rounds.close("2027Q1", release_anchors=False)
    assert closed.state == CLOSED
    assert closed.close_time
    assert closed.close_time >= closed.open_time
    assert await rounds.close("2027Q1", release_anchors=False) == closed
    await rounds.reopen("2027Q1")
    assert await rounds.get("2027Q1") == published
    assert (await rounds.close("2027Q1", release_anchors=True)).release_anchors
    with pytest.raises(NotFound, match="there is no round '2027Q2'"):
        await rounds.close("2027Q2", release_anchors=False)


async def test_a_name_and_the_anchors_of_a_round_are_taken_once(any_store: AnyStore) -> None:
    await opened(any_store)
    with pytest.raises(Conflict, match="there is a round '2027Q1' already"):
        await any_store.rounds.reserve(record())
    second = await opened(any_store, "2027Q2", follows="2027Q1")
    with pytest.raises(Conflict, match="another round was opened after 2027Q1"):
        await any_store.rounds.reserve(record("2027Q3", follows="2027Q1"))
    assert await any_store.rounds.find_successor("2027Q1") == second
    assert await any_store.rounds.find_successor("2027Q2") is None


async def test_a_cancelled_opening_frees_its_name_and_cannot_be_published(any_store: AnyStore) -> None:
    reserved = await any_store.rounds.reserve(record())
    await any_store.rounds.cancel(reserved)
    with pytest.raises(Conflict):
        await any_store.rounds.publish(reserved, b"{}")
    published = await opened(any_store)
    await any_store.rounds.cancel(published)
    assert await any_store.rounds.get("2027Q1") == published


async def test_rounds_are_listed_in_pages_the_newest_first(any_store: AnyStore) -> None:
    for name in ("b", "c", "a"):
        await opened(any_store, name)
    assert [each.name for each in await any_store.rounds.list(limit=2)] == ["a", "c"]
    assert [each.name for each in await any_store.rounds.list(before="c", limit=2)] == ["b"]
    assert await any_store.rounds.list_task_names() == {"math"}
    assert await any_store.rounds.list_abandoned() == []


async def test_an_interrupted_opening_is_found_after_a_while(store: Store) -> None:
    reserved = await store.rounds.reserve(record())
    long_ago = reserved.open_time - ABANDONED_AFTER * 2
    await store._database[indexes.ROUNDS].update_one({"_id": "2027Q1"}, {"$set": {"open_time": long_ago}})
    (abandoned,) = await store.rounds.list_abandoned()
    assert abandoned == replace(reserved, open_time=long_ago)
    await store.rounds.cancel(abandoned)
    assert await store.rounds.get("2027Q1") is None


async def test_samples_are_released_by_content_in_every_round(any_store: AnyStore) -> None:
    first, second = samples("2027Q1"), samples("2027Q2", 2)
    await any_store.round_samples.add(first)
    await any_store.round_samples.add(second)
    assert await any_store.round_samples.list("2027Q1") == first
    contents = [each.content for each in first]
    assert await any_store.round_samples.find_drawn([*contents, "unknown"]) == set(contents)
    assert await any_store.round_samples.find_released(contents) == set()
    await any_store.round_samples.mark_released(contents[1:])
    assert await any_store.round_samples.count_sealed("2027Q1") == 1
    assert await any_store.round_samples.count_sealed("2027Q2") == 1
    assert await any_store.round_samples.find_released(contents) == set(contents[1:])
    assert await any_store.round_samples.find_released_ordinals("2027Q2", "math", [0, 1, 2]) == {1}
    await any_store.round_samples.delete_round("2027Q1")
    assert await any_store.round_samples.list("2027Q1") == []
    assert len(await any_store.round_samples.list("2027Q2")) == 2


async def test_looks_are_listed_by_round_the_newest_first(any_store: AnyStore) -> None:
    for number in range(3):
        await any_store.sealed_looks.add(SealedLook(round="2027Q1", peer="p", subject=f"look {number}", count=1))
        await asyncio.sleep(0.002)
    await any_store.sealed_looks.add(SealedLook(round="2027Q2", peer="p", subject="another", count=1))
    page = await any_store.sealed_looks.list("2027Q1", limit=2)
    assert [look.subject for _, look in page] == ["look 2", "look 1"]
    assert all(look.HasField("create_time") for _, look in page)
    rest = await any_store.sealed_looks.list("2027Q1", before=page[-1][0], limit=2)
    assert [look.subject for _, look in rest] == ["look 0"]


async def test_every_unpublished_sample_of_a_task_in_a_round_is_sealed(any_store: AnyStore) -> None:
    """Also in other versions of the task, and those that the round has not drawn."""
    tasks, seals = any_store.tasks, any_store.seals
    for version in ("0123456789ab", "ba9876543210"):
        await tasks.add(Task(name="math", version=version, sample_count=4), TEXTS)
    await tasks.add(Task(name="history", version="0123456789ab", sample_count=4), TEXTS)
    every = {ref: range(4) for ref in ("math@0123456789ab", "math@ba9876543210", "history@0123456789ab")}
    assert await seals.find_sealed(every) == {}
    assert not await seals.has_rounds()

    await tasks.add(Task(name="math", version="2027Q1", round="2027Q1", sample_count=3), TEXTS[:3])
    await any_store.round_samples.add(samples())
    await any_store.rounds.reserve(record())
    all_four = {0, 1, 2, 3}
    assert await seals.has_rounds()
    assert await seals.find_sealed({**every, "math@2027Q1": range(3)}) == {
        "math@0123456789ab": all_four,
        "math@ba9876543210": all_four,
        "math@2027Q1": {0, 1, 2},
    }
    await any_store.round_samples.mark_released([content_hash(TEXTS[n]) for n in (1, 2)])
    assert await seals.find_sealed({**every, "math@2027Q1": range(3)}) == {
        "math@0123456789ab": {0, 3},
        "math@ba9876543210": {0, 3},
        "math@2027Q1": {0},
    }
    assert await seals.find_sealed({"math@deleted": [5]}) == {"math@deleted": {5}}


async def test_versions_of_a_round_are_found_by_their_full_name_only(any_store: AnyStore) -> None:
    await any_store.tasks.add(Task(name="math", version="0123456789ab", sample_count=4), TEXTS)
    await asyncio.sleep(0.002)
    await any_store.tasks.add(Task(name="math", version="2027Q1", round="2027Q1", sample_count=3), TEXTS[:3])
    newest = await any_store.tasks.get("math")
    assert newest
    assert newest.version == "0123456789ab"
    of_round = await any_store.tasks.get("math@2027Q1")
    assert of_round
    assert of_round.round == "2027Q1"
    await any_store.tasks.delete_round("2027Q1")
    assert await any_store.tasks.get("math@2027Q1") is None
    assert await any_store.tasks.get_samples("math@0123456789ab", [3]) == [TEXTS[3]]


async def test_lists_of_tasks_leave_the_versions_of_rounds_out(store: Store) -> None:
    await store.tasks.add(Task(name="math", version="0123456789ab", sample_count=4), TEXTS)
    await asyncio.sleep(0.002)
    await store.tasks.add(Task(name="math", version="2027Q1", round="2027Q1", sample_count=3), TEXTS[:3])
    assert [task.version for task in await store.tasks.list(limit=9)] == ["0123456789ab"]
    assert [task.version for task in await store.tasks.list(limit=9, all_versions=True)] == ["0123456789ab"]
    assert await store.tasks.list_names() == ["math"]
    assert set(await store.tasks.get_import_times(["math@0123456789ab", "math@2027Q1"])) == {"math@0123456789ab"}
