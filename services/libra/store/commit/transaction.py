"""A transaction of MongoDB, as the writer of verdicts sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from libra.store import indexes
from libra.store.commit.verdict_commit import BeginTransaction, CellIncrement, WriteConflict
from libra.store.error_translation import Database, Session, is_write_conflict
from libra.store.proto_documents import Document

BUCKETS = 16
"""A cell is the sum of at most so many documents: writers in different buckets never touch the same one."""


class MongoTransaction:
    """Implements `libra.store.commit.verdict_commit.Transaction` over a session."""

    def __init__(self, database: Database, session: Session, bucket: int) -> None:
        self._database, self._session, self._bucket = database, session, bucket

    async def find_existing(self, names: Sequence[str]) -> set[str]:
        """Return which of the verdicts are there."""
        found = self._database[indexes.VERDICTS].find({"_id": {"$in": names}}, {"_id": 1}, session=self._session)
        return {document["_id"] async for document in found}

    async def write(self, verdicts: Sequence[Document], sums: Sequence[CellIncrement]) -> None:
        """Insert the verdicts, and add the sums to this writer's own bucket of each cell."""
        await self._database[indexes.VERDICTS].insert_many(verdicts, ordered=False, session=self._session)
        changes = [self._change(one) for one in sums]
        await self._database[indexes.CELLS].bulk_write(changes, ordered=False, session=self._session)

    def _change(self, sums: CellIncrement) -> UpdateOne:
        cell = sums.cell
        path = "/".join(str(cell[name]) for name in ("run", "judging", "model", "task", "attack"))
        update: dict[str, Any] = {
            "$inc": sums.sums.document(),
            "$setOnInsert": cell,
            "$addToSet": {"judges": {"$each": sums.judges}},
        }
        return UpdateOne({"_id": f"{path}/{self._bucket}"}, update, upsert=True)


def transaction_factory(database: Database, bucket: int) -> BeginTransaction:
    """Return what begins a transaction of the writer whose place among the cells' buckets is `bucket`."""

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
