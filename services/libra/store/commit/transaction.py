"""The transaction that verdicts are written in, and its retry after a write conflict.

`libra.store.commit.mongo_transaction` implements it with MongoDB.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from libra.core.errors import Unavailable
from libra.core.gold_labels import GOLD_LABEL_FIELD
from libra.core.response_names import RESPONSE_FIELD
from libra.store.documents.proto_documents import Document, find_pair
from libra.store.sums.cell_sums import CellSums
from libra.store.sums.cells import CELL_KEY
from libra.store.sums.judge_usage import JudgeUsageSums

MAX_ATTEMPTS = 10
"""A transaction conflicts if another writer wrote the same verdict or bucket first; then it is run again."""

BACKOFF_SECONDS = 0.01
"""The random delay before the n-th retry is at most n times this, so that the same two do not conflict again."""

T = TypeVar("T")


@dataclass(slots=True)
class CellIncrement:
    """The sums that a transaction adds to one cell."""

    cell: Document
    sums: CellSums = field(default_factory=CellSums)
    judges: list[Document] = field(default_factory=list)
    judge_usage: JudgeUsageSums = field(default_factory=JudgeUsageSums)

    def add_verdict(self, verdict: Document, *, is_balanced: bool) -> None:
        """Add one verdict, also to the sums by gold label if the score of its task is balanced."""
        label = find_pair(verdict, "fields", GOLD_LABEL_FIELD) if is_balanced else ""
        response = find_pair(verdict, "fields", RESPONSE_FIELD)
        self.sums.add(verdict["outcome"], verdict.get("score", 0.0), response, label)
        judge = verdict.get("judge")
        if judge and judge not in self.judges:
            self.judges.append(judge)

    def to_increments(self) -> dict[str, float]:
        """Return what the cell's document is incremented by: the sums by the paths of its fields."""
        return self.sums.to_increments() | self.judge_usage.to_increments()

    def bucket_id(self, bucket: int) -> str:
        """Return the id of the document that is one bucket of the cell."""
        return f"{'/'.join(str(self.cell[name]) for name in CELL_KEY)}/{bucket}"


class WriteConflict(Exception):
    """Another writer was faster than this transaction, and nothing of it was written; run it again from its start."""


class Transaction(Protocol):
    """Reads a snapshot of the verdicts. Its writes become visible all at once when it commits, or not at all."""

    async def find_existing(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that have a verdict."""
        ...

    async def write(self, verdicts: Sequence[Document], increments: Sequence[CellIncrement]) -> None:
        """Insert the verdicts, and add the increments to this writer's own bucket of each cell."""
        ...

    async def find_verdicts(self, ids: Sequence[str]) -> list[Document]:
        """Return the verdicts with these ids, of those that exist."""
        ...

    async def remove(self, ids: Sequence[str], increment: CellIncrement) -> None:
        """Delete the verdicts, and add the increment to this writer's own bucket of its cell."""
        ...


BeginTransaction = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Begins a transaction; leaving the context commits it. Any step may raise WriteConflict, or the error of an outage."""


async def run_with_retries(begin: BeginTransaction, work: Callable[[Transaction], Awaitable[T]]) -> T:
    """Run `work` in a transaction, again after each WriteConflict, and return its result once it is committed.

    Not with the driver's `with_transaction`: during an outage it would block every caller for two minutes.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            async with begin() as transaction:
                result = await work(transaction)
        except WriteConflict:
            await asyncio.sleep(random.uniform(0, attempt * BACKOFF_SECONDS))  # noqa: S311 - no secret
        else:
            return result
    raise Unavailable(f"other writers were faster in {MAX_ATTEMPTS} attempts; send the verdicts again")
