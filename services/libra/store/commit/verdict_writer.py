"""Makes verdicts durable: one writer for each process, whose concurrent callers share each transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from libra.store.commit.group_commit import GroupCommit
from libra.store.commit.prepared_batch import PreparedBatch, prepare_batch
from libra.store.commit.transaction import BeginTransaction
from libra.store.commit.verdict_commit import CommitStats, VerdictCommit
from libra.store.commit.verdict_withdrawal import withdraw
from libra.store.documents.proto_documents import Document
from libra.v1.batch_pb2 import VerdictBatch

GROUP_VERDICTS = 512
"""The most in one transaction: more are not faster, and the transaction takes longer."""


class VerdictWriter:
    """Writes verdicts with any kind of transaction; `translate_errors` translates its errors."""

    def __init__(self, begin: BeginTransaction, translate_errors: Callable[[], AbstractContextManager[None]]) -> None:
        self._begin, self._commit, self._translate_errors = begin, VerdictCommit(begin), translate_errors
        self._group: GroupCommit[PreparedBatch, int] = GroupCommit(
            self._commit_group, weight=lambda batch: batch.weight, limit=GROUP_VERDICTS
        )

    def add_observer(self, observer: Callable[[CommitStats], None]) -> None:
        """Call `observer` after every commit."""
        self._commit.observers.append(observer)

    async def write(self, batches: Sequence[VerdictBatch]) -> int:
        """Return, once all are durable, how many of the verdicts were new.

        A trial that has a verdict keeps it. Each batch is committed together with its sums, or not at all. After
        Unavailable, some batches may be written: to write all of them again changes nothing.
        """
        prepared = [prepare_batch(batch) for batch in batches if batch.verdicts]
        if len(prepared) == 1:
            return await self._group.submit(prepared[0])
        return sum(await asyncio.gather(*[self._group.submit(one) for one in prepared]))

    async def withdraw(self, cell: Document, ids: Sequence[str]) -> int:
        """Remove verdicts without a score, see `libra.store.commit.verdict_withdrawal.withdraw`."""
        removed = 0
        for start in range(0, len(ids), GROUP_VERDICTS):
            with self._translate_errors():
                removed += await withdraw(self._begin, cell, ids[start : start + GROUP_VERDICTS])
        return removed

    async def close(self) -> None:
        """Raise Unavailable in every caller that waits for a commit."""
        await self._group.close()

    async def _commit_group(self, group: Sequence[PreparedBatch]) -> list[int]:
        with self._translate_errors():
            return await self._commit(group)
