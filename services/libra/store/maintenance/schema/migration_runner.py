"""Runs the migrations, each exactly once to its end, by one replica at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from libra.store import indexes
from libra.store.coordination.leases import LeaseCollection
from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.maintenance.schema.migrations import FIRST_VERSION, MIGRATIONS, Migration

LEASE = "migrations"
LEASE_SECONDS = 30.0
BATCH_DOCUMENTS = 1_000
"""One batch takes far less time than the lease."""


class MigrationRunner:
    """Brings every collection to the version that this release writes.

    After a crash or the loss of the lease another replica goes on after the last completed batch. A batch that two
    replicas write is the same twice.
    """

    def __init__(
        self,
        database: Database,
        translate_errors: ErrorTranslator,
        holder: str,
        *,
        migrations: Sequence[Migration] = MIGRATIONS,
        batch_documents: int = BATCH_DOCUMENTS,
        on_batch: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_batch` is called after each batch."""
        self._database, self._translate_errors, self._holder = database, translate_errors, holder
        self._schema = database[indexes.SCHEMA]
        self._leases = LeaseCollection(database, translate_errors)
        self._migrations, self._batch_documents, self._on_batch = migrations, batch_documents, on_batch

    async def run(self) -> bool:
        """Run what is left; return False if another replica has the lease. Raises Unavailable."""
        await self._record_collections()
        for migration in self._migrations:
            if await self._is_done(migration):
                continue
            if not await self._leases.acquire(LEASE, self._holder, LEASE_SECONDS):
                return False
            if not await self._migrate(migration):
                return False
        await self._leases.release(LEASE, self._holder)
        return True

    async def _record_collections(self) -> None:
        """Create the documents of collections that have none: they are at the first version."""
        with self._translate_errors():
            existing = {document["_id"] async for document in self._schema.find({}, {"_id": 1})}
            for name in indexes.declared().keys() - existing:
                first = {"version": FIRST_VERSION, "readable_by": FIRST_VERSION}
                await self._schema.update_one({"_id": name}, {"$setOnInsert": first}, upsert=True)

    async def _is_done(self, migration: Migration) -> bool:
        query = {"_id": migration.collection, "version": {"$gte": migration.version}}
        with self._translate_errors():
            return await self._schema.find_one(query) is not None

    async def _migrate(self, migration: Migration) -> bool:
        """Change the documents batch by batch; return False as soon as another replica has the lease."""
        after = await self._begin(migration)
        while last := await self._change_batch(migration, after):
            if not await self._leases.acquire(LEASE, self._holder, LEASE_SECONDS):
                return False
            after = last
            await self._update(migration, {"$set": {"after": after}})
            self._on_batch()
        done = {"$set": {"version": migration.version}, "$unset": {"after": "", "migrating_to": ""}}
        await self._update(migration, done)
        return True

    async def _begin(self, migration: Migration) -> str:
        """Record which releases can read the collection from now on; return the id to go on after, "" at first."""
        change = {"$set": {"migrating_to": migration.version}, "$max": {"readable_by": migration.readable_by}}
        await self._update(migration, change)
        with self._translate_errors():
            document = await self._schema.find_one({"_id": migration.collection})
        return str((document or {}).get("after", ""))

    async def _change_batch(self, migration: Migration, after: str) -> str:
        """Change the next documents; return the id of the last one, "" if none is left."""
        collection = self._database[migration.collection]
        query: Document = {"$and": [{"_id": {"$gt": after}}, migration.selector]}
        with self._translate_errors():
            found = collection.find(query, {"_id": 1}).sort("_id", 1).limit(self._batch_documents)
            ids = [document["_id"] async for document in found]
            if ids:
                await collection.update_many({"$and": [{"_id": {"$in": ids}}, migration.selector]}, migration.change)
        return str(ids[-1]) if ids else ""

    async def _update(self, migration: Migration, change: Document) -> None:
        query = {"_id": migration.collection, "version": migration.version - 1}
        with self._translate_errors():
            await self._schema.update_one(query, change)
