"""What each sample contributes to a cell: how often it was scored, and to what sum. Derived from verdicts, and kept.

A mean over trials needs its cell alone. How sure it is does not: trials of one sample, in several epochs or under several
attacks, are no independent draws. Everything here may be deleted at any time; it is gathered again where it is asked for.
"""

from __future__ import annotations

import asyncio
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from libra.store import indexes, trial_ids
from libra.store.cell_sums import MEAN_OUTCOMES
from libra.store.cells import Cell
from libra.store.error_translation import Database, ErrorTranslator, is_duplicate
from libra.store.proto_documents import Document

CellKey = tuple[str, str, str, str]
"""The run, the model, the task as "name@version", and the attack."""

READ_CELLS = 1000
"""In one request: some 3 MiB where a cell has 200 samples."""

GATHER_CELLS = 64
"""Written down at once."""

AT_ONCE = 2
"""Aggregations in mongod at the same time: what is gathered in the background is to leave it time for others."""

MAX_SAMPLES = 900_000
"""A cell of more is not taken apart: at 16 bytes a sample, MongoDB's limit of 16 MiB for a document is at a million."""

RELATIVE = ABSOLUTE = 1e-9
"""Two sums of the same scores in another order differ by less."""


@dataclass(frozen=True, slots=True)
class SampleSums:
    """A cell taken apart by sample; three arrays of the same length, in order of ordinal."""

    ordinals: array[int]
    """Of the samples that have a score, 32 bits each."""

    counts: array[int]
    """Of each, how many trials are in the mean: its epochs. 32 bits each."""

    sums: array[float]
    """Of each, the sum of its scores. 64 bits each."""


@dataclass(frozen=True, slots=True)
class CachedSampleSums:
    """What there is of the cells that were asked for."""

    sums: dict[CellKey, SampleSums]
    missing: list[Cell] = field(default_factory=list)
    """Cells that have not been gathered yet. One whose verdicts are known not to be there is in neither."""


def key_of(cell: Cell) -> CellKey:
    """Return how the sums of a cell are found."""
    return cell.run, cell.model, cell.task, cell.attack


class SampleSumsCollection:
    """Reads what is kept, and gathers the rest from the verdicts."""

    def __init__(self, database: Database, door: ErrorTranslator) -> None:
        self._collection = database[indexes.SAMPLE_SUMS]
        self._verdicts = database[indexes.VERDICTS]
        self._door = door

    async def get_or_compute(self, cells: Sequence[Cell]) -> dict[CellKey, SampleSums]:
        """Return the sums of the cells by sample; a cell whose verdicts are not there, or no longer its own, is left out.

        What is not kept is gathered first: about 1 s for 100,000 verdicts in 600 cells, once.
        """
        kept = await self.get_cached(cells)
        return kept.sums | await self.compute(kept.missing)

    async def get_cached(self, cells: Sequence[Cell]) -> CachedSampleSums:
        """Return what is kept of the cells and still equals them, and which of them have to be gathered. Reads no verdict.

        A cell without a score has no sums and wants none.
        """
        scored = {_name(cell): cell for cell in cells if cell.n}
        names = list(scored)
        kept = CachedSampleSums({})
        with self._door():
            for start in range(0, len(names), READ_CELLS):
                found = self._collection.find({"_id": {"$in": names[start : start + READ_CELLS]}})
                async for document in found:
                    cell = scored[document["_id"]]
                    if _same(document["n"], document["sum"], cell):
                        del scored[document["_id"]]
                        if "sums" in document:
                            kept.sums[key_of(cell)] = _read(document)
        kept.missing.extend(scored.values())
        return kept

    async def compute(self, cells: Sequence[Cell]) -> dict[CellKey, SampleSums]:
        """Return the sums of the cells as their verdicts say, and keep them; which cells had none is kept as well.

        A cell is left out if its verdicts do not add up to it: some are gone, or more have come since it was read.
        """
        sums: dict[CellKey, SampleSums] = {}
        turns = asyncio.Semaphore(AT_ONCE)
        for start in range(0, len(cells), GATHER_CELLS):
            group = cells[start : start + GATHER_CELLS]
            found = await asyncio.gather(*(self._gathered(cell, turns) for cell in group))
            documents = []
            for cell, gathered in zip(group, found, strict=True):
                trials = sum(gathered.counts)
                whole = len(gathered.counts) <= MAX_SAMPLES and _same(trials, math.fsum(gathered.sums), cell)
                if whole:
                    sums[key_of(cell)] = gathered
                if trials <= cell.n:
                    documents.append(_document(cell, gathered if whole else None))
            await self._keep(documents)
        return sums

    async def _gathered(self, cell: Cell, turns: asyncio.Semaphore) -> SampleSums:
        """Return what the verdicts of a cell say."""
        async with turns:
            with self._door():
                found = [document async for document in self._verdicts.aggregate(_by_sample(cell))]
        found.sort(key=lambda document: int(document["_id"]))
        return SampleSums(
            array("i", [int(document["_id"]) for document in found]),
            array("i", [document["n"] for document in found]),
            array("d", [document["sum"] for document in found]),
        )

    async def _keep(self, documents: Iterable[Document]) -> None:
        changes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        if not changes:
            return
        with self._door():
            try:
                await self._collection.bulk_write(changes, ordered=False)
            except BulkWriteError as error:
                # Another process has kept the same at the same moment.
                if not is_duplicate(error):
                    raise


def _name(cell: Cell) -> str:
    return trial_ids.verdict_prefix(cell.run, cell.judging, cell.model, cell.task, cell.attack)


def _by_sample(cell: Cell) -> list[Document]:
    """Return the pipeline that adds up the verdicts of a cell, one document a sample."""
    prefix = _name(cell)
    match = {"_id": {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}, "outcome": {"$in": sorted(MEAN_OUTCOMES)}}
    sample = {"$arrayElemAt": [{"$split": ["$_id", "/"]}, 5]}
    return [
        {"$match": match},
        {"$group": {"_id": sample, "n": {"$sum": 1}, "sum": {"$sum": {"$ifNull": ["$score", 0.0]}}}},
    ]


def _same(n: int, total: float, cell: Cell) -> bool:
    return n == cell.n and math.isclose(total, cell.sum, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _document(cell: Cell, sums: SampleSums | None) -> Document:
    """Return what is kept of a cell; without `sums`, that its verdicts are not there."""
    document: Document = {"_id": _name(cell), "n": cell.n, "sum": cell.sum}
    if sums is not None:
        document |= {"ordinals": _bytes(sums.ordinals), "sums": _bytes(sums.sums)}
        if any(count != 1 for count in sums.counts):
            document["counts"] = _bytes(sums.counts)
    return document


def _read(document: Document) -> SampleSums:
    ordinals = _array("i", document["ordinals"])
    counts = _array("i", document["counts"]) if "counts" in document else array("i", [1]) * len(ordinals)
    return SampleSums(ordinals, counts, _array("d", document["sums"]))


def _bytes(values: array[Any]) -> bytes:
    """Return the values as they are kept, the lowest byte first."""
    return values.tobytes() if sys.byteorder == "little" else _swapped(values).tobytes()


def _array(code: str, kept: bytes) -> array[Any]:
    values: array[Any] = array(code)
    values.frombytes(kept)
    return values if sys.byteorder == "little" else _swapped(values)


def _swapped(values: array[Any]) -> array[Any]:
    turned = values[:]
    turned.byteswap()
    return turned
