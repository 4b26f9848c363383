"""The writer of verdicts: whoever comes while a transaction is under way shares the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from libra.store.commit.group_commit import GroupCommit
from libra.store.commit.verdict_commit import BeginTransaction, CommitStats, PreparedBatch, VerdictCommit, prepare_batch
from libra.v1.batch_pb2 import VerdictBatch

GROUP_VERDICTS = 512
"""In one transaction; more gains nothing, and the transaction grows long."""


class VerdictWriter:
    """One a process, whatever the transactions are carried out with. `door` translates the faults of that."""

    def __init__(self, begin: BeginTransaction, door: Callable[[], AbstractContextManager[None]]) -> None:
        self._commit, self._door = VerdictCommit(begin), door
        self._group: GroupCommit[PreparedBatch, int] = GroupCommit(
            self._guarded_commit, weight=lambda batch: batch.weight, limit=GROUP_VERDICTS
        )

    def add_observer(self, observer: Callable[[CommitStats], None]) -> None:
        """Have `observer` told of every commit."""
        self._commit.observers.append(observer)

    async def write(self, batches: Sequence[VerdictBatch]) -> int:
        """Return, once all are durable, how many of the verdicts were new.

        A trial that has its verdict keeps it. Each batch commits together with its sums, or not at all. Raises
        Unavailable, after which some batches may be written: writing all of them again changes nothing.
        """
        prepared = [prepare_batch(batch) for batch in batches if batch.verdicts]
        if len(prepared) == 1:
            return await self._group.submit(prepared[0])
        return sum(await asyncio.gather(*[self._group.submit(one) for one in prepared]))

    async def close(self) -> None:
        """Fail whoever waits for a commit."""
        await self._group.close()

    async def _guarded_commit(self, group: Sequence[PreparedBatch]) -> list[int]:
        with self._door():
            return await self._commit(group)
