"""The running sums of each (run, judging, model, task, attack), stored in buckets and read as one cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.read_concern import ReadConcern

from libra.core.outcome_names import OUTCOMES, total_of
from libra.store import indexes, trial_ids
from libra.store.cell_sums import COUNT_FIELDS, SUM_FIELDS, CellSums
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.proto_documents import Document
from libra.v1.run_pb2 import OutcomeCounts
from libra.v1.verdict_pb2 import JudgeVersion

CELL_KEY = ("run", "judging", "model", "task", "attack")

CellKey = tuple[str, str, str, str]
"""The run, the model, the task as "name@version", and the attack."""

JudgeKey = tuple[str, str, str]
"""The name, the version and the rubric's hash of a judge."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The sums over the verdicts of one (run, judging, model, task, attack)."""

    run: str
    judging: int
    model: str
    task: str
    """As "name@version"."""

    attack: str
    category: int
    judges: tuple[JudgeKey, ...]
    """Every judge of the cell, in order: several if a judge was changed during the run."""

    n: int
    """Verdicts that count in the mean: scored and filtered."""

    sum: float
    sum_squares: float
    scored: int
    filtered: int
    unjudged: int
    failed: int

    @property
    def key(self) -> CellKey:
        """The key of the cell among those of one judging."""
        return self.run, self.model, self.task, self.attack

    @property
    def judge(self) -> JudgeVersion | None:
        """The only judge of the cell; None if it has none or several."""
        if len(self.judges) != 1:
            return None
        name, version, rubric_hash = self.judges[0]
        return JudgeVersion(name=name, version=version, rubric_hash=rubric_hash)

    @property
    def total(self) -> int:
        """Verdicts of any outcome."""
        return total_of(self)


class CellCollection:
    """Reads the sums. Only `VerdictCollection.write` changes them."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._database = database
        self._collection = database[indexes.CELLS]
        self._translate_errors = translate_errors

    async def list_for_runs(self, runs: Sequence[str], judging: int = 0) -> list[Cell]:
        """Return the cells of the runs, each summed over its buckets, in order of run, model, task and attack."""
        with self._translate_errors():
            found = self._collection.aggregate(_sum_buckets({"run": {"$in": list(runs)}, "judging": judging}))
            cells = [_cell_from_document(document) async for document in found]
        return sorted(cells, key=lambda cell: cell.key)

    async def count_outcomes(self, run: str, judging: int = 0) -> dict[str, OutcomeCounts]:
        """Return the number of verdicts of each outcome, by model; a model without verdicts is left out."""
        grouping: Document = {"_id": "$model", **{name: {"$sum": f"${name}"} for name in OUTCOMES}}
        pipeline = [{"$match": {"run": run, "judging": judging}}, {"$group": grouping}]
        with self._translate_errors():
            found = self._collection.aggregate(pipeline)
            return {
                document["_id"]: OutcomeCounts(**{name: int(document[name]) for name in OUTCOMES})
                async for document in found
            }

    async def recount(self, run: str, judging: int, model: str, task: str, attack: str) -> tuple[CellSums, CellSums]:
        """Return the stored sums of one cell and the sums over its verdicts, both from one snapshot."""
        key = dict(zip(CELL_KEY, (run, judging, model, task, attack), strict=True))
        prefix = trial_ids.verdict_prefix(run, judging, model, task, attack)
        id_range = {"_id": {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}}
        snapshot = ReadConcern("snapshot")
        verdicts = self._database[indexes.VERDICTS]
        with self._translate_errors():
            async with (
                await self._database.client.start_session() as session,
                session.start_transaction(read_concern=snapshot),
            ):
                stored = await self._collection.aggregate(_sum_buckets(key), session=session).to_list(1)
                counted = await verdicts.aggregate(_sum_by_outcome(id_range), session=session).to_list(
                    len(COUNT_FIELDS)
                )
        return CellSums.from_document(stored[0] if stored else {}), CellSums.from_outcomes(counted)


def _sum_buckets(match: Document) -> list[Document]:
    """Return the pipeline that sums the buckets of the matching cells."""
    group: dict[str, Any] = {
        "_id": {name: f"${name}" for name in CELL_KEY},
        "category": {"$max": "$category"},
        "judges": {"$push": "$judges"},
        **{name: {"$sum": f"${name}"} for name in SUM_FIELDS},
    }
    return [{"$match": match}, {"$group": group}]


def _sum_by_outcome(match: Document) -> list[Document]:
    """Return the pipeline that counts and sums verdicts in mongod, with one document for each outcome."""
    score = {"$ifNull": ["$score", 0.0]}
    sums = {"n": {"$sum": 1}, "sum": {"$sum": score}, "sum_squares": {"$sum": {"$multiply": [score, score]}}}
    return [{"$match": match}, {"$group": {"_id": "$outcome", **sums}}]


def _cell_from_document(document: Document) -> Cell:
    sums = {name: document[name] for name in SUM_FIELDS}
    return Cell(**document["_id"], category=document["category"], judges=merge_judges(document["judges"]), **sums)


def merge_judges(buckets: Sequence[Sequence[Document]]) -> tuple[JudgeKey, ...]:
    """Return every judge of a cell's buckets, in order."""
    judges = (judge for bucket in buckets for judge in bucket)
    named = {(judge.get("name", ""), judge.get("version", ""), judge.get("rubric_hash", "")) for judge in judges}
    return tuple(sorted(named))
