"""Backups of a database that is written meanwhile, and of files that are not what they were."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from bson import encode
from tests.integration.support.ranking_world import batch, create_run, import_task, section, store_completions

from libra.core.errors import FailedPrecondition, Invalid, Unavailable
from libra.local.servers import MongoServer
from libra.ranking.queries.auditor import Auditor
from libra.store import indexes
from libra.store.client import Store
from libra.store.maintenance.backup import archive, backup, restore
from libra.store.maintenance.schema.versions import RESTORE_MARK, IncompatibleSchema

PART = section("harm@1", 400)
BATCH = 20


def say_nothing(_: str) -> None: ...


async def back_up(server: MongoServer, database: str) -> bytes:
    file = io.BytesIO()
    await asyncio.to_thread(backup.write_backup, server.url, database, file, say_nothing)
    return file.getvalue()


async def restore_into(
    server: MongoServer, database: str, content: bytes, *, replace: bool = False
) -> archive.Manifest:
    return await asyncio.to_thread(
        restore.restore_backup, server.url, database, io.BytesIO(content), say_nothing, replace=replace
    )


@asynccontextmanager
async def opened(server: MongoServer, database: str) -> AsyncIterator[Store]:
    other = Store.connect(server.url, database)
    yield other
    await other.close()


async def write_trials(store: Store, run: str, first: int) -> None:
    await store_completions(store, "one", range(first, first + BATCH))
    await store.verdicts.write([batch(run, PART, [0.5] * BATCH, first=first)])


@pytest.fixture
async def run(store: Store) -> str:
    await import_task(store, "harm@1", PART.trials)
    return await create_run(store, [PART])


async def test_a_backup_during_writes_has_the_state_of_one_moment(
    mongo_server: MongoServer, store: Store, database: str, new_database: str, run: str
) -> None:
    key = await store.load_signing_key()
    await write_trials(store, run, 0)

    async def write() -> None:
        for first in range(BATCH, PART.trials, BATCH):
            await write_trials(store, run, first)

    writer = asyncio.create_task(write())
    content = await back_up(mongo_server, database)
    await writer
    manifest = await restore_into(mongo_server, new_database, content)
    async with opened(mongo_server, new_database) as restored:
        result = await Auditor(restored).audit(run)
        assert list(result.findings) == []
        assert 0 < result.verdicts == manifest.collections[indexes.VERDICTS].documents
        assert await restored.load_signing_key() == key
        await write_trials(restored, run, 0)
        await write_trials(restored, run, PART.trials - BATCH)
        await restored.check_schema()
        assert (
            await restored._database[indexes.RUNS].index_information()
            == await store._database[indexes.RUNS].index_information()
        )


async def test_a_database_with_data_is_replaced_only_on_request(
    mongo_server: MongoServer, store: Store, database: str, run: str
) -> None:
    content = await back_up(mongo_server, database)
    later = await create_run(store, [PART])
    with pytest.raises(FailedPrecondition, match="is not empty"):
        await restore_into(mongo_server, database, content)
    assert await store.runs.get(later)
    await restore_into(mongo_server, database, content, replace=True)
    assert await store.runs.get(run)
    assert await store.runs.get(later) is None


async def test_a_database_that_services_use_is_not_replaced(
    mongo_server: MongoServer, store: Store, database: str, run: str
) -> None:
    content = await back_up(mongo_server, database)
    await store.check_writes()
    with pytest.raises(FailedPrecondition, match="within the last 30 seconds"):
        await restore_into(mongo_server, database, content, replace=True)


async def test_a_file_with_a_changed_byte_is_refused_before_anything_is_written(
    mongo_server: MongoServer, store: Store, database: str, run: str
) -> None:
    await write_trials(store, run, 0)
    content = await back_up(mongo_server, database)
    with zipfile.ZipFile(io.BytesIO(content)) as members:
        positions = [members.getinfo(name + ".bson").header_offset + 100 for name in (indexes.RUNS, indexes.VERDICTS)]
        positions.append(members.getinfo(archive.MANIFEST).header_offset + 100)
    later = await create_run(store, [PART])
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 1
        with pytest.raises(Invalid, match="damaged or incomplete"):
            await restore_into(mongo_server, database, bytes(changed), replace=True)
    assert await store.runs.get(later)


async def test_a_changed_document_with_a_correct_checksum_of_the_archive_is_refused(
    mongo_server: MongoServer, store: Store, database: str, run: str
) -> None:
    content = rewrite(await back_up(mongo_server, database), "tasks.bson", encode({"_id": "another"}))
    with pytest.raises(Invalid, match="the collection tasks differs from the manifest"):
        await restore_into(mongo_server, database, content, replace=True)
    assert await store.runs.get(run)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
async def test_a_truncated_file_is_refused(
    mongo_server: MongoServer, store: Store, database: str, run: str, share: float
) -> None:
    content = await back_up(mongo_server, database)
    with pytest.raises(Invalid, match="damaged or incomplete"):
        await restore_into(mongo_server, database, content[: int(len(content) * share)], replace=True)
    assert await store.runs.get(run)


async def test_files_of_newer_releases_are_refused(
    mongo_server: MongoServer, store: Store, database: str, new_database: str, run: str
) -> None:
    content = await back_up(mongo_server, database)
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(content)).read(archive.MANIFEST))
    newer_format = json.dumps(manifest | {"format_version": 2}).encode()
    with pytest.raises(Invalid, match="has format 2, and this Libra reads format 1"):
        await restore_into(mongo_server, new_database, rewrite(content, archive.MANIFEST, newer_format))
    newer_schema = json.dumps(manifest | {"schema": {"verdicts": 9}}).encode()
    with pytest.raises(IncompatibleSchema, match=r"verdicts \(9; this release knows 1\)"):
        await restore_into(mongo_server, new_database, rewrite(content, archive.MANIFEST, newer_schema))


async def test_no_service_starts_on_a_database_whose_restore_was_interrupted(
    mongo_server: MongoServer, store: Store, database: str, run: str
) -> None:
    content = await back_up(mongo_server, database)
    await store._database[indexes.SCHEMA].insert_one({"_id": RESTORE_MARK})
    with pytest.raises(Unavailable, match="libra restore --replace"):
        await store.check_schema()
    await restore_into(mongo_server, database, content, replace=True)
    await store.check_schema()


def rewrite(content: bytes, name: str, replacement: bytes) -> bytes:
    """Return the archive with another content of one member."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w") as new:
        for member in old.namelist():
            new.writestr(member, replacement if member == name else old.read(member))
    return written.getvalue()
