"""Commits verdicts idempotently: one transaction writes the new verdicts and adds them to their cells.

A verdict whose trial has one already is a duplicate and changes nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra.store.commit.prepared_batch import PreparedBatch
from libra.store.commit.transaction import BeginTransaction, CellIncrement, Transaction, run_with_retries
from libra.store.documents.proto_documents import Document
from libra.store.sums.cells import CELL_KEY


@dataclass(frozen=True, slots=True)
class CommitStats:
    """The duration of one transaction, and what it wrote."""

    seconds: float
    written: Mapping[tuple[str, int], int]
    """New verdicts by model and outcome."""

    duplicates: int
    """Verdicts whose trial had a verdict already, or that were twice in the group."""


class VerdictCommit:
    """Writes groups of batches. The first verdict on a trial is stored; every later one is a duplicate."""

    def __init__(self, begin: BeginTransaction) -> None:
        self._begin = begin
        self.observers: list[Callable[[CommitStats], None]] = []

    async def __call__(self, group: Sequence[PreparedBatch]) -> list[int]:
        """Commit the group in one transaction and return how many verdicts of each batch were new."""
        started = time.monotonic()
        new = await self._write_new(group)
        stats = CommitStats(
            seconds=time.monotonic() - started,
            written=_count_written(group, new),
            duplicates=sum(len(batch.verdicts) for batch in group) - sum(map(len, new)),
        )
        for observe in self.observers:
            observe(stats)
        return [len(documents) for documents in new]

    async def _write_new(self, group: Sequence[PreparedBatch]) -> list[list[Document]]:
        """Write the new verdicts and return them by batch. A repeated call finds them stored and writes nothing."""
        ids = [verdict["_id"] for batch in group for verdict in batch.verdicts]

        async def write_new(transaction: Transaction) -> list[list[Document]]:
            new = _drop_duplicates(group, await transaction.find_existing(ids))
            if any(new):
                await transaction.write([verdict for verdicts in new for verdict in verdicts], _sum_cells(group, new))
            return new

        return await run_with_retries(self._begin, write_new)


def _drop_duplicates(group: Sequence[PreparedBatch], existing: set[str]) -> list[list[Document]]:
    """Return the verdicts of each batch that do not exist; of several on one trial in the group, the first."""
    seen = set(existing)
    new_by_batch: list[list[Document]] = []
    for batch in group:
        new = []
        for verdict in batch.verdicts:
            if verdict["_id"] not in seen:
                seen.add(verdict["_id"])
                new.append(verdict)
        new_by_batch.append(new)
    return new_by_batch


def _sum_cells(group: Sequence[PreparedBatch], new: Sequence[Sequence[Document]]) -> list[CellIncrement]:
    """Return the sums over the new verdicts, one increment for each cell."""
    increments: dict[tuple[Any, ...], CellIncrement] = {}
    for batch, verdicts in zip(group, new, strict=True):
        if not verdicts:
            continue
        key = tuple(batch.cell[name] for name in CELL_KEY)
        increment = increments.setdefault(key, CellIncrement(batch.cell))
        for verdict in verdicts:
            increment.add_verdict(verdict, is_balanced=batch.is_balanced)
        increment.judge_usage.add(batch.judged_trials, batch.judge_usage)
    return list(increments.values())


def _count_written(group: Sequence[PreparedBatch], new: Sequence[Sequence[Document]]) -> Mapping[tuple[str, int], int]:
    return Counter(
        (batch.cell["model"], verdict["outcome"])
        for batch, verdicts in zip(group, new, strict=True)
        for verdict in verdicts
    )
