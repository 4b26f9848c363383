"""The sums of each cell by sample: how many trials of a sample were scored, and the sum of their scores.

A mean over trials needs only its cell, but its standard error does not: trials of one sample, in several epochs or
under several attacks, are not independent draws. The collection is a cache that is derived from the verdicts: it may
be deleted at any time and is computed again at the next request.
"""

from __future__ import annotations

import asyncio
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from libra.store import indexes, trial_ids
from libra.store.cell_sums import MEAN_OUTCOMES
from libra.store.cells import Cell, CellKey
from libra.store.error_translation import Database, ErrorTranslator, is_duplicate
from libra.store.proto_documents import Document

READ_CELLS = 1000
"""The most in one request: about 3 MiB where a cell has 200 samples."""

GROUP_CELLS = 64
"""The most in one write."""

MAX_CONCURRENT_AGGREGATIONS = 2
"""The aggregations run in the background: they must leave time of mongod for other requests."""

MAX_SAMPLES = 900_000
"""A larger cell is not cached: at 16 bytes a sample, MongoDB's limit of 16 MiB for a document is a million samples."""

RELATIVE = ABSOLUTE = 1e-9
"""Two sums of the same scores in different order differ by less."""


@dataclass(frozen=True, slots=True)
class SampleSums:
    """The sums of a cell by sample: three arrays of the same length, in order of ordinal."""

    ordinals: array[int]
    """The samples that have a score. 32 bits each."""

    counts: array[int]
    """The number of trials of each sample that count in the mean: its epochs. 32 bits each."""

    sums: array[float]
    """The sum of the scores of each sample. 64 bits each."""

    def select(self, positions: Sequence[int]) -> Self:
        """Return the sums of the samples at these positions of the arrays."""
        return type(self)(
            array("i", [self.ordinals[position] for position in positions]),
            array("i", [self.counts[position] for position in positions]),
            array("d", [self.sums[position] for position in positions]),
        )


@dataclass(frozen=True, slots=True)
class CachedSampleSums:
    """The cached sums of the requested cells."""

    sums: dict[CellKey, SampleSums]
    missing: list[Cell] = field(default_factory=list)
    """Cells that are not cached. A cell whose verdicts are known to be missing is neither here nor in `sums`."""


class SampleSumsCollection:
    """Reads the cached sums by sample, and computes the others from the verdicts."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.SAMPLE_SUMS]
        self._verdicts = database[indexes.VERDICTS]
        self._translate_errors = translate_errors

    async def get_or_compute(self, cells: Sequence[Cell]) -> dict[CellKey, SampleSums]:
        """Return the sums by sample; a cell that does not equal the sums over its stored verdicts is left out.

        Sums that are not cached are computed first: about 1 s for 100,000 verdicts in 600 cells, once.
        """
        cached = await self.get_cached(cells)
        return cached.sums | await self.compute(cached.missing)

    async def get_cached(self, cells: Sequence[Cell]) -> CachedSampleSums:
        """Return the cached sums that still equal their cells, and the cells that are not cached. Reads no verdict.

        A cell without a score is left out.
        """
        remaining = {_id(cell): cell for cell in cells if cell.n}
        ids = list(remaining)
        cached = CachedSampleSums({})
        with self._translate_errors():
            for start in range(0, len(ids), READ_CELLS):
                found = self._collection.find({"_id": {"$in": ids[start : start + READ_CELLS]}})
                async for document in found:
                    cell = remaining[document["_id"]]
                    if _equals_cell(document["n"], document["sum"], cell):
                        del remaining[document["_id"]]
                        if "sums" in document:
                            cached.sums[cell.key] = _from_document(document)
        cached.missing.extend(remaining.values())
        return cached

    async def compute(self, cells: Sequence[Cell]) -> dict[CellKey, SampleSums]:
        """Return the sums of the cells over their verdicts, and cache them, as well as which cells have none.

        A cell is left out if its verdicts do not add up to it: some are deleted, or more were written since it was
        read.
        """
        sums: dict[CellKey, SampleSums] = {}
        limit = asyncio.Semaphore(MAX_CONCURRENT_AGGREGATIONS)
        for start in range(0, len(cells), GROUP_CELLS):
            group = cells[start : start + GROUP_CELLS]
            found = await asyncio.gather(*(self._aggregate(cell, limit) for cell in group))
            documents = []
            for cell, cell_sums in zip(group, found, strict=True):
                trials = sum(cell_sums.counts)
                is_complete = len(cell_sums.counts) <= MAX_SAMPLES and _equals_cell(
                    trials, math.fsum(cell_sums.sums), cell
                )
                if is_complete:
                    sums[cell.key] = cell_sums
                if trials <= cell.n:
                    documents.append(_to_document(cell, cell_sums if is_complete else None))
            await self._save(documents)
        return sums

    async def _aggregate(self, cell: Cell, limit: asyncio.Semaphore) -> SampleSums:
        """Return the sums over the verdicts of a cell."""
        async with limit:
            with self._translate_errors():
                found = [document async for document in self._verdicts.aggregate(_sum_by_sample(cell))]
        found.sort(key=lambda document: int(document["_id"]))
        return SampleSums(
            array("i", [int(document["_id"]) for document in found]),
            array("i", [document["n"] for document in found]),
            array("d", [document["sum"] for document in found]),
        )

    async def _save(self, documents: Iterable[Document]) -> None:
        changes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        if not changes:
            return
        with self._translate_errors():
            try:
                await self._collection.bulk_write(changes, ordered=False)
            except BulkWriteError as error:
                # Another process has saved the same sums at the same moment.
                if not is_duplicate(error):
                    raise


def _id(cell: Cell) -> str:
    return trial_ids.verdict_prefix(cell.run, cell.judging, cell.model, cell.task, cell.attack)


def _sum_by_sample(cell: Cell) -> list[Document]:
    """Return the pipeline that sums the verdicts of a cell, with one document for each sample."""
    prefix = _id(cell)
    id_range = {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}
    sample = {"$arrayElemAt": [{"$split": ["$_id", "/"]}, 5]}
    return [
        {"$match": {"_id": id_range, "outcome": {"$in": sorted(MEAN_OUTCOMES)}}},
        {"$group": {"_id": sample, "n": {"$sum": 1}, "sum": {"$sum": {"$ifNull": ["$score", 0.0]}}}},
    ]


def _equals_cell(n: int, total: float, cell: Cell) -> bool:
    return n == cell.n and math.isclose(total, cell.sum, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _to_document(cell: Cell, sums: SampleSums | None) -> Document:
    """Return the cache entry of a cell; without `sums` it says that the cell's verdicts are missing."""
    document: Document = {"_id": _id(cell), "n": cell.n, "sum": cell.sum}
    if sums is not None:
        document |= {"ordinals": _to_bytes(sums.ordinals), "sums": _to_bytes(sums.sums)}
        if any(count != 1 for count in sums.counts):
            document["counts"] = _to_bytes(sums.counts)
    return document


def _from_document(document: Document) -> SampleSums:
    ordinals = _from_bytes("i", document["ordinals"])
    counts = _from_bytes("i", document["counts"]) if "counts" in document else array("i", [1]) * len(ordinals)
    return SampleSums(ordinals, counts, _from_bytes("d", document["sums"]))


def _to_bytes(values: array[Any]) -> bytes:
    """Return the values in little-endian order."""
    return values.tobytes() if sys.byteorder == "little" else _byteswapped(values).tobytes()


def _from_bytes(code: str, data: bytes) -> array[Any]:
    values: array[Any] = array(code)
    values.frombytes(data)
    return values if sys.byteorder == "little" else _byteswapped(values)


def _byteswapped(values: array[Any]) -> array[Any]:
    swapped = values[:]
    swapped.byteswap()
    return swapped
