"""One transaction: the verdicts that are new, and the sums they add to.

What it is carried out with is a `Transaction`: MongoDB's is in `libra.store.commit.transaction`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from libra.errors import Unavailable
from libra.store import trial_ids
from libra.store.cell_sums import COUNT_FIELDS, CellSums
from libra.store.proto_documents import Document, now, to_document
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch

COLLISIONS = 10
"""A transaction that another writer was faster than, on a verdict or in a shared bucket, is run so often at most."""

COLLISION_SECONDS = 0.01
"""Before the n-th run of a transaction, up to n times so long: two that collided do not come back together."""

BYTES_AS_ONE = 16 * 1024
"""A batch weighs as one verdict more for each so many bytes: a group holds some 8 MiB, or one batch."""

NAMED_BY_ID = frozenset(
    {"id", "run", "judging", "model", "task", "attack", "sample", "epoch", "messages", "completion"}
)
"""Fields of a verdict that its document does not repeat: they are in its id, or in the completion."""


@dataclass(frozen=True, slots=True)
class CommitStats:
    """What one transaction came to."""

    seconds: float
    written: Mapping[tuple[str, int], int]
    """New verdicts by model and outcome."""

    duplicates: int
    """Verdicts that were there already, or twice in the group."""


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch as documents, and the cell they add to."""

    cell: Document
    """run, judging, model, task, attack and category."""

    verdicts: Sequence[Document]
    weight: int
    """What it counts towards the limit of a group: its verdicts, and more if they are long."""


def prepare_batch(batch: VerdictBatch) -> PreparedBatch:
    """Return the batch as documents.

    ValueError for a header that names no trial, a verdict without an outcome, or a score outside [0, 1].
    """
    header = batch.header
    _check(header)
    written = now()
    cell = {name: getattr(header, name) for name in ("run", "judging", "model", "task", "attack", "category")}
    documents = []
    for verdict in batch.verdicts:
        if verdict.outcome not in COUNT_FIELDS:
            raise ValueError(f"the verdict on sample {verdict.sample} of {header.task} has no outcome")
        if not 0 <= verdict.score <= 1:
            raise ValueError(f"the verdict on sample {verdict.sample} of {header.task} has the score {verdict.score}")
        named = _name(header, verdict.sample, verdict.epoch)
        kept = {name: value for name, value in to_document(verdict).items() if name not in NAMED_BY_ID}
        documents.append({"_id": named, **kept, "category": header.category, "create_time": written})
    return PreparedBatch(cell, documents, weight=len(documents) + batch.ByteSize() // BYTES_AS_ONE)


def _check(header: BatchHeader) -> None:
    """Raise ValueError for a part of a trial's name that would make another name of it."""
    for part in ("run", "model", "task", "attack"):
        value = getattr(header, part)
        if not value or "/" in value:
            raise ValueError(f"the batch's {part} is {value!r}: it must be there and hold no '/'")


def _name(header: BatchHeader, sample: int, epoch: int) -> str:
    return trial_ids.verdict_id(header.run, header.judging, header.model, header.task, header.attack, sample, epoch)


@dataclass(slots=True)
class CellIncrement:
    """What a transaction adds to one cell."""

    cell: Document
    sums: CellSums = field(default_factory=CellSums)
    judges: list[Document] = field(default_factory=list)

    def add_verdict(self, verdict: Document) -> None:
        """Take in one verdict."""
        self.sums.add(verdict["outcome"], verdict.get("score", 0.0))
        judge = verdict.get("judge")
        if judge and judge not in self.judges:
            self.judges.append(judge)


class WriteConflict(Exception):
    """Another writer was faster than a transaction, and nothing of it was written; it may be run again from its start."""


class Transaction(Protocol):
    """Sees the ledger as it stood at the beginning. What it writes is there all at once when it ends, or not at all."""

    async def find_existing(self, names: Sequence[str]) -> set[str]:
        """Return which of the verdicts are there."""
        ...

    async def write(self, verdicts: Sequence[Document], sums: Sequence[CellIncrement]) -> None:
        """Insert the verdicts, and add the sums to this writer's own bucket of each cell."""
        ...


BeginTransaction = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Begins a transaction; leaving it commits it. Collided may be raised at any step, as may what tells of an outage."""


class VerdictCommit:
    """Writes groups of batches. The first verdict on a trial wins; whatever comes later is a repeat."""

    def __init__(self, begin: BeginTransaction) -> None:
        self._begin = begin
        self.observers: list[Callable[[CommitStats], None]] = []

    async def __call__(self, group: Sequence[PreparedBatch]) -> list[int]:
        """Commit the group in one transaction and return how many verdicts of each batch were new."""
        started = time.monotonic()
        fresh = await self._transact(group)
        commit = CommitStats(
            seconds=time.monotonic() - started,
            written=_counted(group, fresh),
            duplicates=sum(len(batch.verdicts) for batch in group) - sum(map(len, fresh)),
        )
        for observe in self.observers:
            observe(commit)
        return [len(documents) for documents in fresh]

    async def _transact(self, group: Sequence[PreparedBatch]) -> list[list[Document]]:
        """Write what is new; return it, by batch. Run again, it finds what it wrote and writes nothing.

        Not with the driver's own `with_transaction`: during an outage that would hold every caller for two minutes.
        """
        names = [verdict["_id"] for batch in group for verdict in batch.verdicts]
        for run in range(1, COLLISIONS + 1):
            try:
                async with self._begin() as transaction:
                    fresh = _without(group, await transaction.find_existing(names))
                    if any(fresh):
                        await transaction.write([one for each in fresh for one in each], _summed(group, fresh))
                return fresh
            except WriteConflict:
                await asyncio.sleep(random.uniform(0, run * COLLISION_SECONDS))  # noqa: S311 - no secret
        raise Unavailable(f"other writers were faster {COLLISIONS} times over; send the verdicts again")


def _without(group: Sequence[PreparedBatch], present: set[str]) -> list[list[Document]]:
    """Return the verdicts of each batch that are not `present`; of one trial's in a group, the first."""
    seen = set(present)
    fresh: list[list[Document]] = []
    for batch in group:
        kept = []
        for verdict in batch.verdicts:
            if verdict["_id"] not in seen:
                seen.add(verdict["_id"])
                kept.append(verdict)
        fresh.append(kept)
    return fresh


def _summed(group: Sequence[PreparedBatch], fresh: Sequence[Sequence[Document]]) -> list[CellIncrement]:
    """Return what the fresh verdicts add up to, one entry a cell."""
    cells: dict[tuple[Any, ...], CellIncrement] = {}
    for batch, verdicts in zip(group, fresh, strict=True):
        if not verdicts:
            continue
        key = tuple(batch.cell[name] for name in ("run", "judging", "model", "task", "attack"))
        sums = cells.setdefault(key, CellIncrement(batch.cell))
        for verdict in verdicts:
            sums.add_verdict(verdict)
    return list(cells.values())


def _counted(group: Sequence[PreparedBatch], fresh: Sequence[Sequence[Document]]) -> dict[tuple[str, int], int]:
    counts: dict[tuple[str, int], int] = {}
    for batch, verdicts in zip(group, fresh, strict=True):
        for verdict in verdicts:
            key = (batch.cell["model"], verdict["outcome"])
            counts[key] = counts.get(key, 0) + 1
    return counts
