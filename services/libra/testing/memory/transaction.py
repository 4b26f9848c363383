"""A transaction in memory: it sees one moment, and is written at another, all at once or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from libra.store.cell_sums import SUM_FIELDS
from libra.store.commit.verdict_commit import BeginTransaction, CellIncrement, WriteConflict
from libra.store.proto_documents import Document
from libra.testing.memory.transport import MemoryClient


class MemoryTransaction:
    """Implements `libra.store.commit.verdict_commit.Transaction`. Whoever of two that change one document is second has Collided."""

    def __init__(self, client: MemoryClient, bucket: int) -> None:
        self._client, self._server, self._bucket = client, client.server, bucket
        self._moment: int | None = None
        """Commits that it sees; not known before the first request, as with MongoDB."""
        self._verdicts: Sequence[Document] = ()
        self._sums: Sequence[CellIncrement] = ()

    async def find_existing(self, names: Sequence[str]) -> set[str]:
        """Return which of the verdicts are there."""

        def look() -> set[str]:
            seen = self._begun()
            return {name for name in names if name in self._server.verdicts and self._server.written[name] <= seen}

        return await self._client.send(look)

    async def write(self, verdicts: Sequence[Document], sums: Sequence[CellIncrement]) -> None:
        """Insert the verdicts, and add the sums to this writer's own bucket of each cell."""

        def take() -> None:
            self._begun()
            self._verdicts, self._sums = verdicts, sums
            self._check()

        await self._client.send(take)

    async def commit(self) -> None:
        """Have it all written; raise Collided if nothing of it is, Unavailable if nobody knows."""
        await self._client.send(self._commit)

    def _begun(self) -> int:
        if self._moment is None:
            self._moment = self._server.commits
        return self._moment

    def _check(self) -> None:
        """Raise Collided if another transaction wrote what this one changes."""
        seen = self._begun()
        names = [*(verdict["_id"] for verdict in self._verdicts), *(self._name(sums) for sums in self._sums)]
        if any(self._server.written.get(name, 0) > seen for name in names):
            raise WriteConflict("another transaction was faster")
        if any(verdict["_id"] in self._server.verdicts for verdict in self._verdicts):
            raise WriteConflict("a verdict is there already")

    def _commit(self) -> None:
        self._check()
        server = self._server
        if self._verdicts or self._sums:
            server.commits += 1
        for verdict in self._verdicts:
            server.verdicts[verdict["_id"]] = verdict
            server.written[verdict["_id"]] = server.commits
        for sums in self._sums:
            self._add(sums)

    def _add(self, sums: CellIncrement) -> None:
        name = self._name(sums)
        cell = self._server.cells.setdefault(name, {**sums.cell, "judges": [], **dict.fromkeys(SUM_FIELDS, 0)})
        for part, value in sums.sums.document().items():
            cell[part] += value
        cell["judges"] += [judge for judge in sums.judges if judge not in cell["judges"]]
        self._server.written[name] = self._server.commits

    def _name(self, sums: CellIncrement) -> str:
        path = "/".join(str(sums.cell[name]) for name in ("run", "judging", "model", "task", "attack"))
        return f"{path}/{self._bucket}"


def transaction_factory(client: MemoryClient, bucket: int) -> BeginTransaction:
    """Return what begins a transaction of the writer with this bucket."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[MemoryTransaction]:
        transaction = MemoryTransaction(client, bucket)
        yield transaction
        await transaction.commit()

    return begin
