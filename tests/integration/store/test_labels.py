"""The contract of labels: of the real store on a real mongod, and of the one in memory."""

from __future__ import annotations

import asyncio

import pytest

from libra.core.errors import Conflict
from libra.store.client import Store
from libra.testing.memory import MemoryServer, MemoryStore
from libra.v1.label_pb2 import Label

AnyStore = Store | MemoryStore

RUN, OTHER = "01JZ0000000000000000000000", "01JZ0000000000000000000001"
TASK = "odd@0123456789ab"


@pytest.fixture(params=["memory", "mongo"])
def either_store(request: pytest.FixtureRequest) -> AnyStore:
    if request.param == "memory":
        return MemoryStore(MemoryServer())
    # Requested by name, so that the store in memory needs no mongod.
    found: Store = request.getfixturevalue("store")
    return found


def label(sample: int, score: float, author: str = "ann", probability: float = 0.1, run: str = RUN) -> Label:
    return Label(
        trial=f"{run}/0/m/{TASK}/none/{sample:08d}/0000",
        score=score,
        author=author,
        inclusion_probability=probability,
        judged_score=1.0,
    )


async def test_a_label_is_stored_once_and_a_changed_one_keeps_the_earlier(either_store: AnyStore) -> None:
    assert await either_store.labels.last_modified() == 0
    first = await either_store.labels.upsert([label(0, 1.0), label(1, 0.0), label(0, 0.5, run=OTHER)])
    assert (first.added, first.changed) == (3, 0)
    stored = await either_store.labels.list(RUN, limit=10)
    assert [each.score for each in stored] == [1.0, 0.0]
    assert all(each.HasField("create_time") for each in stored)
    again = await either_store.labels.upsert([label(0, 1.0), label(1, 0.0)])
    assert (again.added, again.changed, list(again.documents)) == (0, 0, [])
    assert await either_store.labels.list(RUN, limit=10) == stored
    changed = await either_store.labels.upsert([label(1, 1.0, "bob")])
    assert (changed.added, changed.changed) == (0, 1)
    (now,) = await either_store.labels.list(RUN, after=stored[0].trial, limit=10)
    assert (now.score, now.author) == (1.0, "bob")
    assert [(each.score, each.author) for each in now.earlier] == [(0.0, "ann")]
    assert now.earlier[0].create_time == stored[1].create_time
    assert await either_store.labels.last_modified() >= now.create_time.ToMilliseconds()


async def test_a_larger_draw_raises_the_inclusion_probability_and_keeps_the_label(either_store: AnyStore) -> None:
    await either_store.labels.upsert([label(0, 1.0)])
    larger = await either_store.labels.upsert([label(0, 1.0, probability=0.5)])
    smaller = await either_store.labels.upsert([label(0, 1.0, probability=0.2)])
    assert (larger.added, larger.changed, len(larger.documents), len(smaller.documents)) == (0, 0, 1, 0)
    (stored,) = await either_store.labels.list(RUN, limit=10)
    assert stored.inclusion_probability == 0.5
    assert not stored.earlier


async def test_labels_are_listed_by_run_and_trial(either_store: AnyStore) -> None:
    await either_store.labels.upsert([label(number, 1.0) for number in (2, 0, 1)] + [label(0, 0.0, run=OTHER)])
    everything = await either_store.labels.list_for_runs([OTHER, RUN, RUN])
    assert [each.trial.split("/")[0] for each in everything] == [RUN] * 3 + [OTHER]
    assert [each.trial for each in everything] == sorted(each.trial for each in everything)
    first, second = await either_store.labels.list(RUN, limit=2)
    assert [each.trial[-13:] for each in await either_store.labels.list(RUN, after=second.trial, limit=2)] == [
        "00000002/0000"
    ]
    assert await either_store.labels.get([first.trial, "unknown"]) == {first.trial: first}


async def test_of_two_imports_at_the_same_moment_none_is_lost(store: Store) -> None:
    authors = [f"a{number}" for number in range(8)]
    results = await asyncio.gather(
        *(store.labels.upsert([label(0, 1.0, author)]) for author in authors), return_exceptions=True
    )
    conflicts = [each for each in results if isinstance(each, Conflict)]
    assert all("import the file again" in str(each) for each in conflicts)
    (stored,) = await store.labels.list(RUN, limit=10)
    written = [author for author, each in zip(authors, results, strict=True) if not isinstance(each, BaseException)]
    assert sorted([stored.author, *(each.author for each in stored.earlier)]) == sorted(written)
    assert len(written) + len(conflicts) == len(authors)
