"""The running sums of each (run, judging, model, task, attack), kept in buckets and read as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.read_concern import ReadConcern

from libra.contracts.outcomes import OUTCOMES, total_of
from libra.store import cell_sums, indexes, trial_ids
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.proto_documents import Document
from libra.v1.run_pb2 import OutcomeCounts
from libra.v1.verdict_pb2 import JudgeVersion

CELL_KEY = ("run", "judging", "model", "task", "attack")
COUNTS = tuple(OUTCOMES)


@dataclass(frozen=True, slots=True)
class Cell:
    """What the verdicts of one (run, judging, model, task, attack) amount to."""

    run: str
    judging: int
    model: str
    task: str
    """As "name@version"."""

    attack: str
    category: int
    judges: tuple[tuple[str, str, str], ...]
    """Every (name, version, rubric hash) that judged here, in order: more than one if a judge was changed meanwhile."""

    n: int
    """Verdicts in the mean: scored and filtered."""

    sum: float
    sum_squares: float
    scored: int
    filtered: int
    unjudged: int
    failed: int

    @property
    def judge(self) -> JudgeVersion | None:
        """Who judged; None if nobody did, or more than one."""
        if len(self.judges) != 1:
            return None
        name, version, rubric_hash = self.judges[0]
        return JudgeVersion(name=name, version=version, rubric_hash=rubric_hash)

    @property
    def total(self) -> int:
        """Verdicts of any outcome."""
        return total_of(self)


class CellCollection:
    """Reads the sums. Only `Verdicts.write` changes them."""

    def __init__(self, database: Database, door: ErrorTranslator) -> None:
        self._database = database
        self._collection = database[indexes.CELLS]
        self._door = door

    async def list_for_runs(self, runs: Sequence[str], judging: int = 0) -> list[Cell]:
        """Return the cells of the runs, each summed over its buckets, in order of run, model, task and attack."""
        with self._door():
            found = self._collection.aggregate(_summed({"run": {"$in": list(runs)}, "judging": judging}))
            cells = [_cell(document) async for document in found]
        return sorted(cells, key=lambda cell: (cell.run, cell.model, cell.task, cell.attack))

    async def count_outcomes(self, run: str, judging: int = 0) -> dict[str, OutcomeCounts]:
        """Return how many verdicts of each model ended how; a model without any is left out."""
        grouping: Document = {"_id": "$model", **{name: {"$sum": f"${name}"} for name in COUNTS}}
        pipeline = [{"$match": {"run": run, "judging": judging}}, {"$group": grouping}]
        with self._door():
            found = self._collection.aggregate(pipeline)
            return {
                document["_id"]: OutcomeCounts(**{name: int(document[name]) for name in COUNTS})
                async for document in found
            }

    async def recount(
        self, run: str, judging: int, model: str, task: str, attack: str
    ) -> tuple[cell_sums.CellSums, cell_sums.CellSums]:
        """Return the sums of one cell as they are kept, and as its verdicts say, both of one and the same moment."""
        key = dict(zip(CELL_KEY, (run, judging, model, task, attack), strict=True))
        prefix = trial_ids.verdict_prefix(run, judging, model, task, attack)
        span = {"_id": {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}}
        moment = ReadConcern("snapshot")
        verdicts = self._database[indexes.VERDICTS]
        with self._door():
            async with (
                await self._database.client.start_session() as session,
                session.start_transaction(read_concern=moment),
            ):
                kept = await self._collection.aggregate(_summed(key), session=session).to_list(1)
                counted = await verdicts.aggregate(_by_outcome(span), session=session).to_list(
                    len(cell_sums.COUNT_FIELDS)
                )
        return cell_sums.read(kept[0] if kept else {}), cell_sums.gathered(counted)


def _summed(match: Document) -> list[Document]:
    """Return the pipeline that sums the buckets of the cells that match."""
    group: dict[str, Any] = {
        "_id": {name: f"${name}" for name in CELL_KEY},
        "category": {"$max": "$category"},
        "judges": {"$push": "$judges"},
        **{name: {"$sum": f"${name}"} for name in cell_sums.SUM_FIELDS},
    }
    return [{"$match": match}, {"$group": group}]


def _by_outcome(match: Document) -> list[Document]:
    """Return the pipeline that counts and sums verdicts, one document an outcome, without bringing one here."""
    score = {"$ifNull": ["$score", 0.0]}
    sums = {"n": {"$sum": 1}, "sum": {"$sum": score}, "sum_squares": {"$sum": {"$multiply": [score, score]}}}
    return [{"$match": match}, {"$group": {"_id": "$outcome", **sums}}]


def _cell(document: Document) -> Cell:
    judges = {_judge(judge) for bucket in document["judges"] for judge in bucket}
    sums = {name: document[name] for name in cell_sums.SUM_FIELDS}
    return Cell(**document["_id"], category=document["category"], judges=tuple(sorted(judges)), **sums)


def _judge(document: Document) -> tuple[str, str, str]:
    return document.get("name", ""), document.get("version", ""), document.get("rubric_hash", "")
