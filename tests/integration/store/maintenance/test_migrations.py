"""Migrations run once to their end, although replicas are killed in the middle and others run beside them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.integration.support.ranking_world import create_run, section

from libra.core.errors import Unavailable
from libra.store import indexes
from libra.store.client import Store
from libra.store.coordination.leases import LeaseCollection
from libra.store.maintenance.schema.migration_runner import LEASE, MigrationRunner
from libra.store.maintenance.schema.migrations import MIGRATIONS
from libra.store.maintenance.schema.versions import IncompatibleSchema

RUNS = 10


class Killed(BaseException):
    """Stands for SIGKILL between two batches."""


async def insert_old_runs(store: Store) -> None:
    """Insert runs as the first release stored them."""
    for _ in range(RUNS):
        await create_run(store, [section("harm@1", 1)])
    await store._database[indexes.RUNS].update_many({}, {"$unset": {"changes": ""}})


async def count_migrated(store: Store) -> int:
    return int(await store._database[indexes.RUNS].count_documents({"changes": {"$exists": True}}))


def runner(store: Store, holder: str, **options: Any) -> MigrationRunner:
    return MigrationRunner(store._database, store._translate_errors, holder, batch_documents=2, **options)


async def test_a_migration_that_was_killed_goes_on_after_its_last_batch(store: Store) -> None:
    await insert_old_runs(store)
    batches: list[int] = []

    def kill_after_two() -> None:
        batches.append(1)
        if len(batches) == 2:
            raise Killed

    with pytest.raises(Killed):
        await runner(store, "first", on_batch=kill_after_two).run()
    assert await count_migrated(store) == 4
    assert await runner(store, "second").run() is False  # the dead replica has the lease
    await LeaseCollection(store._database, store._translate_errors).release(LEASE, "first")  # as after its end
    batches.clear()
    assert await runner(store, "second", on_batch=lambda: batches.append(1)).run() is True
    assert await count_migrated(store) == RUNS
    assert len(batches) == 3, "no batch was repeated"
    schema = await store._database[indexes.SCHEMA].find_one({"_id": indexes.RUNS})
    assert schema == {"_id": indexes.RUNS, "version": 2, "readable_by": 1}
    batches.clear()
    assert await runner(store, "third", on_batch=lambda: batches.append(1)).run() is True
    assert batches == []


async def test_replicas_that_start_together_share_one_migration(store: Store) -> None:
    await insert_old_runs(store)
    batches: list[str] = []
    names = ("a", "b", "c", "d")
    results = await asyncio.gather(
        *(runner(store, name, on_batch=lambda name=name: batches.append(name)).run() for name in names)
    )
    assert True in results
    assert len(set(batches)) == 1
    assert await count_migrated(store) == RUNS


async def test_runs_are_read_and_changed_by_both_releases_during_the_migration(store: Store) -> None:
    await insert_old_runs(store)
    before = await store.runs.list(limit=RUNS)
    assert await runner(store, "one").run() is True
    assert await store.runs.list(limit=RUNS) == before
    # The release before wrote a run without the field after the migration: it is still read.
    await store._database[indexes.RUNS].update_one({}, {"$unset": {"changes": ""}})
    assert len(await store.runs.list(limit=RUNS)) == RUNS


async def test_every_collection_has_a_version(store: Store) -> None:
    await store.migration_runner("one").run()
    found = {each["_id"]: each["version"] async for each in store._database[indexes.SCHEMA].find({})}
    assert found == dict.fromkeys(indexes.declared(), 1) | {indexes.RUNS: 2}


async def test_a_release_reads_what_a_newer_one_expanded_and_refuses_what_it_contracted(store: Store) -> None:
    expanded = replace(MIGRATIONS[0], version=3, selector={"new": {"$exists": False}}, change={"$set": {"new": 1}})
    await runner(store, "newer", migrations=(*MIGRATIONS, expanded)).run()
    await store.check_schema()
    contracted = replace(expanded, version=4, readable_by=3)
    await runner(store, "newest", migrations=(*MIGRATIONS, expanded, contracted)).run()
    with pytest.raises(IncompatibleSchema, match=r"runs \(3; this release knows 2\)"):
        await store.check_schema()


async def test_a_lease_is_held_by_one_until_it_expires(store: Store) -> None:
    leases = LeaseCollection(store._database, store._translate_errors)
    assert await leases.acquire("work", "one", 0.2)
    assert not await leases.acquire("work", "two", 0.2)
    assert await leases.acquire("work", "one", 0.2)
    await asyncio.sleep(0.3)
    assert await leases.acquire("work", "two", 10)
    await leases.release("work", "one")
    assert not await leases.acquire("work", "one", 10)


def test_an_unfinished_restore_is_unavailable_not_incompatible() -> None:
    assert not issubclass(IncompatibleSchema, Unavailable)
