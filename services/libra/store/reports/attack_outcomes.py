"""Counts the trials that attacks broke, for each sample of a cell. The sums are made in mongod.

A trial whose prompt the attack left as it was is no attack on it: it is counted apart.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra.core.attack_fields import JUDGED_BY, UNCHANGED, YES
from libra.store import indexes
from libra.store.documents import trial_ids
from libra.store.documents.proto_documents import Document, pair_value
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.sums.cell_sums import MEAN_OUTCOMES
from libra.store.sums.cells import Cell, CellKey
from libra.store.sums.sample_sums import GOLD_LABEL, SampleSums

MAX_CONCURRENT_AGGREGATIONS = 4

BROKEN_BELOW = 0.5
"""A trial with a lower score is broken: it is nearer to what the attack aimed at than to what we want."""


@dataclass(frozen=True, slots=True)
class AttackOutcomes:
    """The trials of a cell by sample, without those that the attack left unchanged."""

    sums: SampleSums
    """The samples with a score, with the number and the sum of their scores."""

    broken: array[int]
    """The number of broken trials of each of these samples."""

    scored: int = 0
    """All trials with a score, including the unchanged ones: it equals that of the cell if no verdict is missing."""

    unchanged: int = 0
    """Trials of any outcome whose prompt the attack left as it was."""

    judged_by: dict[str, int] = field(default_factory=dict)
    """Trials that something else than the task's judge measured, by its name and version; NOTHING if it is missing."""


class AttackOutcomeReader:
    """Reads verdicts; writes nothing. About 100,000 verdicts take a second."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._verdicts = database[indexes.VERDICTS]
        self._translate_errors = translate_errors

    async def load(self, cells: Iterable[Cell]) -> dict[CellKey, AttackOutcomes]:
        """Return the outcomes of each cell; a cell without all its verdicts in the store is left out."""
        limit = asyncio.Semaphore(MAX_CONCURRENT_AGGREGATIONS)
        cells = list(cells)
        found = await asyncio.gather(*(self._load(cell, limit) for cell in cells))
        return {cell.key: outcomes for cell, outcomes in zip(cells, found, strict=True) if outcomes.scored == cell.n}

    async def _load(self, cell: Cell, limit: asyncio.Semaphore) -> AttackOutcomes:
        async with limit:
            with self._translate_errors():
                found = await self._verdicts.aggregate(_group_by_sample(cell)).to_list(None)
        return _to_outcomes(sorted(found, key=lambda document: int(document["_id"]["sample"])))


def _group_by_sample(cell: Cell) -> list[Document]:
    """Return the pipeline with one document for each sample, and for each other judge that measured some of it."""
    prefix = trial_ids.verdict_prefix(cell.run, cell.judging, cell.model, cell.task, cell.attack)
    score = {"$ifNull": ["$score", 0.0]}
    counts = {"$and": ["$scored", {"$not": ["$unchanged"]}]}
    label = {"label": {"$ifNull": [GOLD_LABEL, ""]}} if cell.is_balanced else {}
    return [
        {"$match": {"_id": {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}}},
        {
            "$project": {
                "score": 1,
                "sample": {"$arrayElemAt": [{"$split": ["$_id", "/"]}, 5]},
                "scored": {"$in": ["$outcome", sorted(MEAN_OUTCOMES)]},
                "unchanged": {"$eq": [pair_value("fields", UNCHANGED), YES]},
                "judged_by": {"$ifNull": [pair_value("fields", JUDGED_BY), ""]},
                **label,
            }
        },
        {
            "$group": {
                "_id": {"sample": "$sample", "judged_by": "$judged_by"},
                "scored": _count_if({"$eq": ["$scored", True]}),
                "trials": _count_if({"$not": ["$unchanged"]}),
                "n": _count_if(counts),
                "sum": {"$sum": {"$cond": [counts, score, 0.0]}},
                "broken": _count_if({"$and": [counts, {"$lt": [score, BROKEN_BELOW]}]}),
                "unchanged": _count_if({"$eq": ["$unchanged", True]}),
                **({"label": {"$max": "$label"}} if label else {}),
            }
        },
    ]


def _count_if(condition: Document) -> Document:
    """Return the accumulator that counts the documents for which a condition holds."""
    return {"$sum": {"$cond": [condition, 1, 0]}}


def _to_outcomes(documents: Sequence[dict[str, Any]]) -> AttackOutcomes:
    by_sample: dict[int, tuple[int, float, int]] = {}
    judged_by: dict[str, int] = {}
    labels: dict[int, str] = {}
    for document in documents:
        sample, judge = int(document["_id"]["sample"]), document["_id"]["judged_by"]
        n, total, broken = by_sample.get(sample, (0, 0.0, 0))
        by_sample[sample] = (n + document["n"], total + document["sum"], broken + document["broken"])
        if "label" in document:
            labels[sample] = document["label"]
        if judge:
            judged_by[judge] = judged_by.get(judge, 0) + document["trials"]
    scored = {sample: values for sample, values in by_sample.items() if values[0]}
    return AttackOutcomes(
        SampleSums(
            array("i", scored),
            array("i", [n for n, _, _ in scored.values()]),
            array("d", [total for _, total, _ in scored.values()]),
            labels=tuple(labels[sample] for sample in scored) if labels else (),
        ),
        array("i", [broken for _, _, broken in scored.values()]),
        scored=sum(document["scored"] for document in documents),
        unchanged=sum(document["unchanged"] for document in documents),
        judged_by=judged_by,
    )
