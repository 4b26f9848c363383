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
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from libra.core.gold_labels import GOLD_LABEL_FIELD
from libra.core.outcome_names import OUTCOMES
from libra.core.response_names import ANSWERED, RESPONSE_FIELD
from libra.store import indexes
from libra.store.documents import trial_ids
from libra.store.documents.proto_documents import Document, pair_value
from libra.store.error_translation import Database, ErrorTranslator, is_duplicate
from libra.store.sums.cell_sums import MEAN_OUTCOMES
from libra.store.sums.cells import Cell, CellKey
from libra.v1.verdict_pb2 import Outcome

READ_CELLS = 1000
"""The most in one request: about 3 MiB where a cell has 200 samples."""

GROUP_CELLS = 64
"""The most in one write."""

MAX_CONCURRENT_AGGREGATIONS = 2
"""The aggregations run in the background: they must leave time of mongod for other requests."""

MAX_CACHED_BYTES = 15 * 1024 * 1024
"""Larger sums are not cached, since MongoDB's limit for a document is 16 MiB: a sample has 16 bytes, with FILTERED
trials 28, and one more for its label."""

RELATIVE = ABSOLUTE = 1e-9
"""Two sums of the same scores in different order differ by less."""


def _no_counts() -> array[int]:
    return array("i")


def _no_scores() -> array[float]:
    return array("d")


@dataclass(frozen=True, slots=True)
class SampleSums:
    """The sums of a cell by sample: sequences of the same length, in order of ordinal."""

    ordinals: array[int]
    """The samples that have a score. 32 bits each."""

    counts: array[int]
    """The number of trials of each sample that count in the mean: its epochs. 32 bits each."""

    sums: array[float]
    """The sum of the scores of each sample. 64 bits each."""

    filtered_counts: array[int] = field(default_factory=_no_counts)
    """The number of FILTERED trials among those in `counts`; empty if the cell has none."""

    filtered_sums: array[float] = field(default_factory=_no_scores)
    """The sum of the scores of these; empty like `filtered_counts`."""

    labels: Sequence[str] = ()
    """The gold label of each sample, if the score is balanced over them; else empty."""

    @property
    def size_bytes(self) -> int:
        """The largest size of the cache entry."""
        arrays = (self.ordinals, self.counts, self.sums, self.filtered_counts, self.filtered_sums)
        return sum(len(each) * each.itemsize for each in arrays) + len(self.labels)

    def select(self, positions: Sequence[int]) -> Self:
        """Return the sums of the samples at these positions of the arrays."""
        filtered = positions if self.filtered_counts else ()
        return type(self)(
            array("i", [self.ordinals[position] for position in positions]),
            array("i", [self.counts[position] for position in positions]),
            array("d", [self.sums[position] for position in positions]),
            array("i", [self.filtered_counts[position] for position in filtered]),
            array("d", [self.filtered_sums[position] for position in filtered]),
            tuple(self.labels[position] for position in positions) if self.labels else (),
        )

    def by_label(self) -> dict[str, Self]:
        """Return the sums of the samples of each gold label, in order of label; all under "" if there are none."""
        if not self.labels:
            return {"": self}
        positions: defaultdict[str, list[int]] = defaultdict(list)
        for position, label in enumerate(self.labels):
            positions[label].append(position)
        return {label: self.select(found) for label, found in sorted(positions.items())}


@dataclass(frozen=True, slots=True)
class CachedSampleSums:
    """The cached sums of the requested cells."""

    sums: dict[CellKey, SampleSums]
    missing: list[Cell] = field(default_factory=list)
    """Cells that are not cached. A cell whose verdicts are known to be missing is neither here nor in `sums`."""


def _no_sums() -> SampleSums:
    return SampleSums(array("i"), array("i"), array("d"))


@dataclass(frozen=True, slots=True)
class ResponseSums:
    """The verdicts of one cell on responses of one class."""

    sums: SampleSums = field(default_factory=_no_sums)
    outcomes: Counter[str] = field(default_factory=Counter)
    """The number of verdicts by the name of the outcome."""


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
                for document in await found.to_list(None):
                    cell = remaining[document["_id"]]
                    if _is_current(document, cell):
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
                is_complete = (
                    cell_sums.size_bytes <= MAX_CACHED_BYTES
                    and _equals_cell(trials, math.fsum(cell_sums.sums), cell)
                    and sum(cell_sums.filtered_counts) == cell.filtered
                )
                if is_complete:
                    sums[cell.key] = cell_sums
                if trials <= cell.n:
                    documents.append(_to_document(cell, cell_sums if is_complete else None))
            await self._save(documents)
        return sums

    async def sum_by_response(self, cell: Cell) -> dict[str, ResponseSums]:
        """Return the sums of a cell by what came back, the name of the class. About 100,000 verdicts take a second."""
        with self._translate_errors():
            found = [document async for document in self._verdicts.aggregate(_sum_by_response(cell))]
        by_response: defaultdict[str, list[Document]] = defaultdict(list)
        for document in found:
            by_response[document["_id"]["response"]].append(document | {"_id": document["_id"]["sample"]})
        return {response: _to_response_sums(documents) for response, documents in by_response.items()}

    async def _aggregate(self, cell: Cell, limit: asyncio.Semaphore) -> SampleSums:
        """Return the sums over the verdicts of a cell."""
        async with limit:
            with self._translate_errors():
                found = [document async for document in self._verdicts.aggregate(_sum_by_sample(cell))]
        return _to_sample_sums(found)

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
    return [
        {"$match": {"_id": id_range, "outcome": {"$in": sorted(MEAN_OUTCOMES)}}},
        {"$group": {"_id": SAMPLE, "n": {"$sum": 1}, "sum": {"$sum": SCORE}} | _special_sums(cell)},
    ]


SAMPLE = {"$arrayElemAt": [{"$split": ["$_id", "/"]}, 5]}
"""The expression for the sample's ordinal in the id of a verdict."""

SCORE = {"$ifNull": ["$score", 0.0]}
"""The expression for the score of a verdict."""

GOLD_LABEL = pair_value("fields", GOLD_LABEL_FIELD)
"""The expression for the gold label of a verdict."""


def _special_sums(cell: Cell) -> Document:
    """Return the accumulators that only some cells need: of FILTERED trials, and the gold label."""
    sums: Document = {}
    if cell.filtered:
        sums["filtered"], sums["filtered_sum"] = _sum_if_filtered(1), _sum_if_filtered(SCORE)
    if cell.is_balanced:
        sums["label"] = {"$first": GOLD_LABEL}
    return sums


def _sum_if_filtered(value: object) -> Document:
    return {"$sum": {"$cond": [{"$eq": ["$outcome", Outcome.OUTCOME_FILTERED]}, value, 0]}}


def _to_sample_sums(documents: list[Document]) -> SampleSums:
    """Return the sums of documents with a sample's ordinal as `_id`; sorts them."""
    documents.sort(key=lambda document: int(document["_id"]))
    filtered = documents if any(document.get("filtered") for document in documents) else []
    return SampleSums(
        array("i", [int(document["_id"]) for document in documents]),
        array("i", [document["n"] for document in documents]),
        array("d", [document["sum"] for document in documents]),
        array("i", [document["filtered"] for document in filtered]),
        array("d", [document["filtered_sum"] for document in filtered]),
        tuple(document["label"] or "" for document in documents if "label" in document),
    )


def _to_response_sums(documents: Iterable[Document]) -> ResponseSums:
    """Return the sums of one class of responses."""
    outcomes: Counter[str] = Counter()
    scored = []
    for document in documents:
        outcomes.update({name: document[name] for name in OUTCOMES if document[name]})
        if document["n"]:
            scored.append(document)
    return ResponseSums(_to_sample_sums(scored), outcomes)


def _sum_by_response(cell: Cell) -> list[Document]:
    """Return the pipeline with one document for each class and sample."""
    prefix = _id(cell)
    key = {"response": {"$ifNull": [pair_value("fields", RESPONSE_FIELD), ANSWERED]}, "sample": SAMPLE}
    counts = {"$in": ["$outcome", sorted(MEAN_OUTCOMES)]}
    sums: Document = {
        name: {"$sum": {"$cond": [{"$eq": ["$outcome", number]}, 1, 0]}} for name, number in OUTCOMES.items()
    }
    sums["n"], sums["sum"] = {"$sum": {"$cond": [counts, 1, 0]}}, {"$sum": {"$cond": [counts, SCORE, 0.0]}}
    return [
        {"$match": {"_id": {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}}},
        {"$group": {"_id": key} | sums | _special_sums(cell)},
    ]


def _is_current(document: Document, cell: Cell) -> bool:
    """Return whether a cache entry equals the cell, and has all that the cell needs: earlier versions stored less."""
    if not _equals_cell(document["n"], document["sum"], cell):
        return False
    has_filtered = not cell.filtered or "filtered_counts" in document
    return "sums" not in document or (has_filtered and (not cell.is_balanced or "labels" in document))


def _equals_cell(n: int, total: float, cell: Cell) -> bool:
    return n == cell.n and math.isclose(total, cell.sum, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _to_document(cell: Cell, sums: SampleSums | None) -> Document:
    """Return the cache entry of a cell; without `sums` it says that the cell's verdicts are missing."""
    document: Document = {"_id": _id(cell), "n": cell.n, "sum": cell.sum}
    if sums is not None:
        document |= {"ordinals": _to_bytes(sums.ordinals), "sums": _to_bytes(sums.sums)}
        if any(count != 1 for count in sums.counts):
            document["counts"] = _to_bytes(sums.counts)
        if sums.filtered_counts:
            document["filtered_counts"] = _to_bytes(sums.filtered_counts)
            document["filtered_sums"] = _to_bytes(sums.filtered_sums)
        if sums.labels:
            names = sorted(set(sums.labels))
            document |= {"labels": names, "label_indexes": bytes(map(names.index, sums.labels))}
    return document


def _from_document(document: Document) -> SampleSums:
    ordinals = _from_bytes("i", document["ordinals"])
    counts = _from_bytes("i", document["counts"]) if "counts" in document else array("i", [1]) * len(ordinals)
    names = document.get("labels", ())
    return SampleSums(
        ordinals,
        counts,
        _from_bytes("d", document["sums"]),
        _from_bytes("i", document.get("filtered_counts", b"")),
        _from_bytes("d", document.get("filtered_sums", b"")),
        tuple(names[index] for index in document.get("label_indexes", b"")),
    )


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
