"""Verdicts: exactly one for each trial and judging, in the order of trials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from libra.store import indexes
from libra.store.commit.mongo_transaction import transaction_factory
from libra.store.commit.verdict_commit import CommitStats
from libra.store.commit.verdict_writer import VerdictWriter
from libra.store.documents import trial_ids
from libra.store.documents.proto_documents import Document, from_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.batch_pb2 import VerdictBatch
from libra.v1.verdict_pb2 import Verdict

SCAN_PAGE = 1000

BRIEF_FIELDS = {"outcome": 1, "completion_id": 1}


class BaseVerdictCollection(ABC):
    """The common part of the collection in MongoDB and of its twin in memory, which tests use."""

    def __init__(self, writer: VerdictWriter) -> None:
        self._writer = writer

    def add_observer(self, observer: Callable[[CommitStats], None]) -> None:
        """Call `observer` after every commit."""
        self._writer.add_observer(observer)

    async def write(self, batches: Sequence[VerdictBatch]) -> int:
        """Return, once all are durable, how many of the verdicts were new; see `VerdictWriter.write`."""
        return await self._writer.write(batches)

    async def scan(self, run: str, judging: int = 0) -> AsyncIterator[Verdict]:
        """Yield every verdict of a run in the order of trials, with one page in memory at a time."""
        after = ""
        while page := await self.list(run, judging=judging, after=after, limit=SCAN_PAGE):
            for verdict in page:
                yield verdict
            after = page[-1].id

    async def withdraw(
        self, run: str, model: str, task: str, attack: str, *, category: int, outcomes: Collection[int]
    ) -> int:
        """Remove the verdicts of one cell with these outcomes, which have no score; return how many there were.

        Each leaves its cell in the same transaction. After Unavailable, some may be removed.
        """
        cell = {"run": run, "judging": 0, "model": model, "task": task, "attack": attack, "category": category}
        removed = 0
        for outcome in outcomes:
            after = ""
            while page := await self.list(
                run, model=model, task=task, attack=attack, outcome=outcome, after=after, limit=SCAN_PAGE, brief=True
            ):
                removed += await self._writer.withdraw(cell, [verdict.id for verdict in page])
                after = page[-1].id
        return removed

    async def close(self) -> None:
        """Raise Unavailable in every caller that waits for a commit."""
        await self._writer.close()

    @abstractmethod
    async def list(
        self,
        run: str,
        *,
        judging: int = 0,
        model: str = "",
        task: str = "",
        attack: str = "",
        outcome: int | None = None,
        after: str = "",
        limit: int,
        brief: bool = False,
    ) -> list[Verdict]:
        """Return up to `limit` verdicts in the order of trials, those after the id `after`.

        A `task` may have its version or not. The query is a range of ids up to the first part that is not selected,
        and a pattern on ids from there on; only a filter by `outcome` reads documents that it does not return. A
        `brief` verdict has only its id, outcome and completion id.
        """


class VerdictCollection(BaseVerdictCollection):
    """Stores every verdict under an id made of its trial and judging: the id makes a second write change nothing."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator, bucket: int) -> None:
        super().__init__(VerdictWriter(transaction_factory(database, bucket), translate_errors))
        self._collection = database[indexes.VERDICTS]
        self._translate_errors = translate_errors

    async def list_completed_trials(
        self, run: str, judging: int, model: str, task: str, attack: str
    ) -> set[tuple[int, int]]:
        """Return the (sample, epoch) of every trial of one cell that has a verdict."""
        query = {"_id": select_ids(run, judging, model, task, attack)}
        with self._translate_errors():
            found = self._collection.find(query, {"_id": 1})
            trials = [trial_ids.parse_verdict_id(document["_id"]) async for document in found]
        return {(trial.sample, trial.epoch) for trial in trials}

    async def get_by_trial(
        self, run: str, model: str, task: str, attack: str, trials: Sequence[tuple[int, int]]
    ) -> dict[tuple[int, int], Verdict]:
        """Return the verdicts of a run's own judging by (sample, epoch); trials without one are left out."""
        ids = [trial_ids.verdict_id(run, 0, model, task, attack, sample, epoch) for sample, epoch in trials]
        with self._translate_errors():
            found = [verdict_from_document(document) async for document in self._collection.find({"_id": {"$in": ids}})]
        return {(verdict.sample, verdict.epoch): verdict for verdict in found}

    async def list(
        self,
        run: str,
        *,
        judging: int = 0,
        model: str = "",
        task: str = "",
        attack: str = "",
        outcome: int | None = None,
        after: str = "",
        limit: int,
        brief: bool = False,
    ) -> list[Verdict]:
        """See `BaseVerdictCollection.list`."""
        query: Document = {"_id": select_ids(run, judging, model, task, attack, after=after)}
        if outcome is not None:
            query["outcome"] = outcome
        with self._translate_errors():
            found = self._collection.find(query, BRIEF_FIELDS if brief else None).sort("_id", 1).limit(limit)
            return [verdict_from_document(document) for document in await found.to_list(limit)]


def select_ids(
    run: str, judging: int, model: str, task: str, attack: str, *, after: str = "", before: str = ""
) -> Document:
    """Return the filter of `_id` for a part of a run: a range, and a pattern for parts that no range can select."""
    prefix = trial_ids.verdict_prefix(run, judging, model, task, attack)
    end = trial_ids.after_prefix(prefix)
    id_filter: Document = {"$gt": max(after, prefix), "$lt": min(before, end) if before else end}
    selected_parts = [part for part in (model, task, attack) if part]
    if prefix.count("/") - 2 < len(selected_parts):
        id_filter["$regex"] = trial_ids.verdict_pattern(run, judging, model, task, attack)
    return id_filter


def verdict_from_document(document: Document) -> Verdict:
    """Return the verdict that a document stores, with the parts of its id."""
    trial = trial_ids.parse_verdict_id(document["_id"])
    verdict = Verdict(
        id=document["_id"],
        run=trial.run,
        judging=trial.judging,
        model=trial.model,
        task=trial.task,
        attack=trial.attack,
        sample=trial.sample,
        epoch=trial.epoch,
    )
    return from_document(verdict, document)
