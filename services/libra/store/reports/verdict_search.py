"""Searches the verdicts of a run by their fields and by text, in pages forwards and backwards, and counts them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pymongo.errors import ExecutionTimeout

from libra.core.outcome_names import OUTCOMES
from libra.core.response_names import ANSWERED, RESPONSE_FIELD, RESPONSES
from libra.store import indexes
from libra.store.documents import trial_ids
from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.sums.cell_sums import MEAN_OUTCOMES
from libra.store.verdicts import select_ids, verdict_from_document
from libra.v1.verdict_pb2 import Verdict

MAX_COUNT = 100_000
"""The most verdicts that a count tells apart; an `_id` range of this size is counted in about 50 ms."""

COUNT_MILLISECONDS = 1_000
READ_MILLISECONDS = 20_000
"""The time limit of a page: a filter that selects few verdicts of a run reads about 400,000 of them a second."""

GROUP_MILLISECONDS = 10_000
MAX_REASONS = 5_000
"""The most different reasons that are read."""

REASON_CHARACTERS = 400
"""The part of a reason by which verdicts are grouped in the database."""


@dataclass(frozen=True, slots=True)
class VerdictFilter:
    """A selection of a run's verdicts; an empty field selects all."""

    run: str
    judging: int = 0
    model: str = ""
    task: str = ""
    """ "name" or "name@version"."""

    attack: str = ""
    outcome: int = 0
    response: str = ""
    """The name of a class of responses."""

    label: str = ""
    judge: str = ""
    """ "name" or "name@version"."""

    category: int = 0
    min_score: float | None = None
    max_score: float | None = None

    def to_query(self, *, after: str = "", before: str = "") -> Document:
        """Return the query for the selected verdicts between two ids."""
        ids = select_ids(self.run, self.judging, self.model, self.task, self.attack, after=after, before=before)
        conditions: list[Document] = [{"_id": ids}]
        conditions += [{name: value} for name in ("outcome", "label", "category") if (value := getattr(self, name))]
        if self.response:
            conditions.append({"fields": _response_filter(self.response)})
        if self.judge:
            name, _, version = self.judge.partition("@")
            conditions.append({"judge.name": name} | ({"judge.version": version} if version else {}))
        if self.min_score is not None or self.max_score is not None:
            conditions += self._score_conditions()
        return {"$and": conditions}

    def _score_conditions(self) -> list[Document]:
        """Return the conditions for the range of scores. A score of 0 is not stored."""
        bounds = {"$gte": self.min_score, "$lte": self.max_score}
        in_range: Document = {"score": {name: bound for name, bound in bounds.items() if bound is not None}}
        if (self.min_score or 0.0) <= 0.0:
            in_range = {"$or": [in_range, {"score": None}]}
        return [{"outcome": {"$in": sorted(MEAN_OUTCOMES)}}, in_range]


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """The verdicts with the same outcome, model and beginning of the reason."""

    outcome: int
    model: str
    task: str
    reason: str
    count: int
    example: str
    """The smallest of their ids."""


class VerdictSearch:
    """Reads verdicts for people who look for some of them."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._verdicts, self._completions = database[indexes.VERDICTS], database[indexes.COMPLETIONS]
        self._translate_errors = translate_errors

    async def get(self, verdict: str) -> Verdict | None:
        """Return one verdict; None if it is unknown."""
        with self._translate_errors():
            document = await self._verdicts.find_one({"_id": verdict})
        return verdict_from_document(document) if document else None

    async def find_first_epoch(self, run: str, model: str, task: str, attack: str, sample: int) -> Verdict | None:
        """Return the verdict of a sample in the first epoch that has a score; None if none has one."""
        prefix = trial_ids.verdict_id(run, 0, model, task, attack, sample, 0).rpartition("/")[0] + "/"
        query = {"_id": {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}, "outcome": {"$in": list(MEAN_OUTCOMES)}}
        with self._translate_errors():
            document = await self._verdicts.find_one(query, sort=[("_id", 1)])
        return verdict_from_document(document) if document else None

    async def count(self, selection: VerdictFilter) -> int | None:
        """Return the number of selected verdicts, MAX_COUNT + 1 for more; None if it takes too long to count them."""
        with self._translate_errors():
            try:
                return await self._verdicts.count_documents(
                    selection.to_query(), limit=MAX_COUNT + 1, maxTimeMS=COUNT_MILLISECONDS
                )
            except ExecutionTimeout:
                return None

    async def find_text(self, completions: Collection[str], text: str) -> set[str]:
        """Return those of the completions whose answer or conversation contains the text, in upper or lower case."""
        contains = {"$regex": re.escape(text), "$options": "i"}
        query = {"_id": {"$in": list(completions)}, "$or": [{"text": contains}, {"messages.content": contains}]}
        with self._translate_errors():
            found = self._completions.find(query, {"_id": 1}, max_time_ms=READ_MILLISECONDS)
            return {document["_id"] async for document in found}

    async def count_reasons(self, run: str) -> list[ReasonCount]:
        """Return the reasons of a run's FAILED and UNJUDGED verdicts, the most frequent first, at most MAX_REASONS."""
        outcomes = [OUTCOMES["failed"], OUTCOMES["unjudged"]]
        query = {"$and": [VerdictFilter(run).to_query(), {"outcome": {"$in": outcomes}}]}
        parts = {"$split": ["$_id", "/"]}
        key = {
            "outcome": "$outcome",
            "model": {"$arrayElemAt": [parts, 2]},
            "task": {"$arrayElemAt": [parts, 3]},
            "reason": {"$substrCP": [{"$ifNull": ["$rationale", ""]}, 0, REASON_CHARACTERS]},
        }
        pipeline: Sequence[Document] = [
            {"$match": query},
            {"$group": {"_id": key, "count": {"$sum": 1}, "example": {"$min": "$_id"}}},
            {"$sort": {"count": -1, "example": 1}},
            {"$limit": MAX_REASONS},
        ]
        with self._translate_errors():
            found = self._verdicts.aggregate(pipeline, allowDiskUse=True, maxTimeMS=GROUP_MILLISECONDS)
            return [ReasonCount(**each["_id"], count=each["count"], example=each["example"]) async for each in found]

    async def list(
        self, selection: VerdictFilter, *, after: str = "", before: str = "", backward: bool = False, limit: int
    ) -> list[Verdict]:
        """Return up to `limit` verdicts between two ids: the first, or with `backward` the last ones, the last first.

        The query is a range of ids, and a filter on the documents in it.
        """
        query = selection.to_query(after=after, before=before)
        with self._translate_errors():
            found = self._verdicts.find(query, max_time_ms=READ_MILLISECONDS).sort("_id", -1 if backward else 1)
            return [verdict_from_document(document) for document in await found.limit(limit).to_list(limit)]


def _response_filter(response: str) -> object:
    """Return the filter of the stored fields, which are pairs; an ordinary answer has no field `response`."""
    if response == ANSWERED:
        return {"$nin": [[RESPONSE_FIELD, name] for name in RESPONSES if name != ANSWERED]}
    return [RESPONSE_FIELD, response]
