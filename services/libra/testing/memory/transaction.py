"""A transaction in memory: it reads one snapshot, and is written all at once or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from libra.store.commit.transaction import BeginTransaction, CellIncrement, WriteConflict
from libra.store.documents.proto_documents import Document
from libra.store.sums.cell_sums import SUM_FIELDS
from libra.testing.memory.transport import MemoryClient


class MemoryTransaction:
    """Implements `libra.store.commit.transaction.Transaction`. The second of two that write one document conflicts."""

    def __init__(self, client: MemoryClient, bucket: int) -> None:
        self._client, self._server, self._bucket = client, client.server, bucket
        self._snapshot: int | None = None
        """The number of the last commit that the transaction sees. The first request sets it, as in MongoDB."""
        self._verdicts: Sequence[Document] = ()
        self._increments: Sequence[CellIncrement] = ()
        self._removed: Sequence[str] = ()

    async def find_existing(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that have a verdict."""

        def find() -> set[str]:
            snapshot = self._begin()
            verdicts, last_commits = self._server.verdicts, self._server.last_commits
            return {name for name in ids if name in verdicts and last_commits[name] <= snapshot}

        return await self._client.send(find)

    async def write(self, verdicts: Sequence[Document], increments: Sequence[CellIncrement]) -> None:
        """Insert the verdicts, and add the increments to this writer's own bucket of each cell."""

        def write() -> None:
            self._begin()
            self._verdicts, self._increments = verdicts, increments
            self._check_conflicts()

        await self._client.send(write)

    async def find_verdicts(self, ids: Sequence[str]) -> list[Document]:
        """Return the verdicts with these ids, of those that exist."""

        def find() -> list[Document]:
            self._begin()
            return [self._server.verdicts[name] for name in ids if name in self._server.verdicts]

        return await self._client.send(find)

    async def remove(self, ids: Sequence[str], increment: CellIncrement) -> None:
        """Delete the verdicts, and add the increment to this writer's own bucket of its cell."""

        def remove() -> None:
            self._begin()
            self._removed, self._increments = ids, [increment]
            self._check_conflicts()

        await self._client.send(remove)

    async def commit(self) -> None:
        """Write everything. Raises WriteConflict if nothing was written, and Unavailable if the outcome is unknown."""
        await self._client.send(self._commit)

    def _begin(self) -> int:
        if self._snapshot is None:
            self._snapshot = self._server.commits
        return self._snapshot

    def _check_conflicts(self) -> None:
        """Raise WriteConflict if another transaction wrote a document that this one writes."""
        snapshot = self._begin()
        bucket_ids = (increment.bucket_id(self._bucket) for increment in self._increments)
        ids = [*(verdict["_id"] for verdict in self._verdicts), *self._removed, *bucket_ids]
        if any(self._server.last_commits.get(name, 0) > snapshot for name in ids):
            raise WriteConflict("another transaction was faster")
        if any(verdict["_id"] in self._server.verdicts for verdict in self._verdicts):
            raise WriteConflict("a verdict exists already")
        if any(name not in self._server.verdicts for name in self._removed):
            raise WriteConflict("a verdict was removed already")

    def _commit(self) -> None:
        self._check_conflicts()
        server = self._server
        if self._verdicts or self._increments:
            server.commits += 1
        for verdict in self._verdicts:
            server.verdicts[verdict["_id"]] = verdict
            server.last_commits[verdict["_id"]] = server.commits
        for name in self._removed:
            del server.verdicts[name]
            server.last_commits[name] = server.commits
        for increment in self._increments:
            self._add(increment)

    def _add(self, increment: CellIncrement) -> None:
        bucket_id = increment.bucket_id(self._bucket)
        cell = self._server.cells.setdefault(
            bucket_id, {**increment.cell, "judges": [], **dict.fromkeys(SUM_FIELDS, 0)}
        )
        for path, value in increment.to_increments().items():
            _increment(cell, path, value)
        cell["judges"] += [judge for judge in increment.judges if judge not in cell["judges"]]
        self._server.last_commits[bucket_id] = self._server.commits


def _increment(document: Document, path: str, value: float) -> None:
    """Add the value to the field at this path, as `$inc` does."""
    *parents, name = path.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    document[name] = document.get(name, 0) + value


def transaction_factory(client: MemoryClient, bucket: int) -> BeginTransaction:
    """Return the function that begins a transaction of the writer that adds to this bucket of each cell."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[MemoryTransaction]:
        transaction = MemoryTransaction(client, bucket)
        yield transaction
        await transaction.commit()

    return begin
