"""The running sums of each (run, judging, model, task, attack), stored in buckets and read as one cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pymongo.read_concern import ReadConcern

from libra.core.gold_labels import GOLD_LABEL_FIELD
from libra.core.outcome_names import OUTCOMES, total_of
from libra.core.response_names import COUNTED_RESPONSES, RESPONSE_FIELD
from libra.store import indexes
from libra.store.documents import trial_ids
from libra.store.documents.proto_documents import Document, pair_value
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.sums.cell_sums import ALL_FIELDS, CellSums
from libra.store.sums.label_sums import LabelSums, merge_labels
from libra.v1.run_pb2 import OutcomeCounts, ResponseCounts
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

    classified: int = 0
    """Verdicts that the following counts take into account: fewer than all if an earlier version wrote some."""

    refused_by_model: int = 0
    blocked_input: int = 0
    blocked_output: int = 0
    truncated: int = 0
    tool_calls: int = 0

    filtered_n: int = 0
    """FILTERED verdicts that `filtered_sum` takes into account: fewer than all if an earlier version wrote some."""

    filtered_sum: float = 0.0
    """The sum of the scores of FILTERED verdicts, which no judge gave."""

    labels: Mapping[str, LabelSums] = field(default_factory=dict)
    """By gold label in order, if the score of the task is balanced over it."""

    @property
    def is_balanced(self) -> bool:
        """Whether the score is the mean over the gold labels: every verdict that counts has one."""
        return bool(self.labels) and sum(sums.n for sums in self.labels.values()) == self.n

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

    async def list_for_runs(self, runs: Sequence[str], judging: int = 0, *, models: Sequence[str] = ()) -> list[Cell]:
        """Return the cells of the runs, each summed over its buckets, in order of run, model, task and attack.

        If there are `models`, only theirs.
        """
        match: Document = {"run": {"$in": list(runs)}, "judging": judging}
        if models:
            match["model"] = {"$in": list(models)}
        with self._translate_errors():
            found = await self._collection.aggregate(_sum_buckets(match)).to_list(None)
        return sorted(map(_cell_from_document, found), key=lambda cell: cell.key)

    async def count_outcomes(self, run: str, judging: int = 0) -> dict[str, OutcomeCounts]:
        """Return the number of verdicts of each outcome, by model; a model without verdicts is left out."""
        found = await self._sum_by_model(run, judging, OUTCOMES)
        return {model: OutcomeCounts(**counts) for model, counts in found.items()}

    async def count_responses(self, run: str, judging: int = 0) -> dict[str, ResponseCounts]:
        """Return the number of verdicts by what came back, by model; a model without verdicts is left out.

        Verdicts of earlier versions, which did not count, are not included.
        """
        found = await self._sum_by_model(run, judging, COUNTED_RESPONSES.values())
        return {model: ResponseCounts(**counts) for model, counts in found.items()}

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
                sums = CellSums.from_document(stored[0] if stored else {})
                pipeline = _sum_by_outcome(id_range, with_labels=bool(sums.labels))
                counted = await verdicts.aggregate(pipeline, session=session).to_list(None)
        return sums, CellSums.from_outcomes(counted)

    async def _sum_by_model(self, run: str, judging: int, names: Iterable[str]) -> dict[str, dict[str, int]]:
        """Return the sums of these fields over the cells of a run, by model."""
        grouping: Document = {"_id": "$model", **{name: {"$sum": f"${name}"} for name in names}}
        pipeline = [{"$match": {"run": run, "judging": judging}}, {"$group": grouping}]
        with self._translate_errors():
            found = [document async for document in self._collection.aggregate(pipeline)]
        return {document.pop("_id"): {name: int(value) for name, value in document.items()} for document in found}


def _sum_buckets(match: Document) -> list[Document]:
    """Return the pipeline that sums the buckets of the matching cells."""
    group: dict[str, Any] = {
        "_id": {name: f"${name}" for name in CELL_KEY},
        "category": {"$max": "$category"},
        "judges": {"$push": "$judges"},
        "labels": {"$push": "$labels"},
        **{name: {"$sum": f"${name}"} for name in ALL_FIELDS},
    }
    return [{"$match": match}, {"$group": group}]


def _sum_by_outcome(match: Document, *, with_labels: bool) -> list[Document]:
    """Return the pipeline that sums verdicts in mongod, by outcome, counted response and, if wanted, gold label."""
    found = pair_value("fields", RESPONSE_FIELD)
    response = {"$cond": [{"$in": [found, list(COUNTED_RESPONSES)]}, found, ""]}
    score = {"$ifNull": ["$score", 0.0]}
    sums = {"n": {"$sum": 1}, "sum": {"$sum": score}, "sum_squares": {"$sum": {"$multiply": [score, score]}}}
    key: Document = {"outcome": "$outcome", "response": response}
    if with_labels:
        key["label"] = {"$ifNull": [pair_value("fields", GOLD_LABEL_FIELD), ""]}
    return [{"$match": match}, {"$group": {"_id": key, **sums}}]


def _cell_from_document(document: Document) -> Cell:
    sums = {name: document[name] for name in ALL_FIELDS}
    return Cell(
        **document["_id"],
        category=document["category"],
        judges=merge_judges(document["judges"]),
        labels=merge_labels(document["labels"]),
        **sums,
    )


def merge_judges(buckets: Sequence[Sequence[Document]]) -> tuple[JudgeKey, ...]:
    """Return every judge of a cell's buckets, in order."""
    judges = (judge for bucket in buckets for judge in bucket)
    named = {(judge.get("name", ""), judge.get("version", ""), judge.get("rubric_hash", "")) for judge in judges}
    return _shared(tuple(sorted(named)))


@lru_cache(1_000)
def _shared(judges: tuple[JudgeKey, ...]) -> tuple[JudgeKey, ...]:
    """Return one object for equal judges: some thousand cells have the same few, and are compared by them."""
    return judges
