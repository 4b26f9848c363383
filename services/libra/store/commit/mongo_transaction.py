"""Implements the transaction of the verdict writer with MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from libra.store import indexes
from libra.store.commit.transaction import BeginTransaction, CellIncrement, WriteConflict
from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, Session, is_write_conflict

BUCKETS = 16
"""The most documents whose sum is a cell: writers in different buckets never change the same document."""


class MongoTransaction:
    """Implements `libra.store.commit.transaction.Transaction` with a session."""

    def __init__(self, database: Database, session: Session, bucket: int) -> None:
        self._database, self._session, self._bucket = database, session, bucket

    async def find_existing(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that have a verdict."""
        found = self._database[indexes.VERDICTS].find({"_id": {"$in": ids}}, {"_id": 1}, session=self._session)
        return {document["_id"] async for document in found}

    async def write(self, verdicts: Sequence[Document], increments: Sequence[CellIncrement]) -> None:
        """Insert the verdicts, and add the increments to this writer's own bucket of each cell."""
        await self._database[indexes.VERDICTS].insert_many(verdicts, ordered=False, session=self._session)
        changes = [self._to_update(increment) for increment in increments]
        await self._database[indexes.CELLS].bulk_write(changes, ordered=False, session=self._session)

    async def find_verdicts(self, ids: Sequence[str]) -> list[Document]:
        """Return the verdicts with these ids, of those that exist."""
        fields = {"outcome": 1, "fields": 1}
        found = self._database[indexes.VERDICTS].find({"_id": {"$in": ids}}, fields, session=self._session)
        return [document async for document in found]

    async def remove(self, ids: Sequence[str], increment: CellIncrement) -> None:
        """Delete the verdicts, and add the increment to this writer's own bucket of its cell."""
        result = await self._database[indexes.VERDICTS].delete_many({"_id": {"$in": ids}}, session=self._session)
        if result.deleted_count != len(ids):
            raise WriteConflict
        await self._database[indexes.CELLS].bulk_write([self._to_update(increment)], session=self._session)

    def _to_update(self, increment: CellIncrement) -> UpdateOne:
        update: dict[str, Any] = {
            "$inc": increment.to_increments(),
            "$setOnInsert": increment.cell,
            "$addToSet": {"judges": {"$each": increment.judges}},
        }
        return UpdateOne({"_id": increment.bucket_id(self._bucket)}, update, upsert=True)


def transaction_factory(database: Database, bucket: int) -> BeginTransaction:
    """Return the function that begins a transaction of the writer that adds to this bucket of each cell."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[MongoTransaction]:
        try:
            async with await database.client.start_session() as session, session.start_transaction():
                yield MongoTransaction(database, session, bucket)
        except OperationFailure as error:
            if not is_write_conflict(error):
                raise
            raise WriteConflict from error

    return begin
