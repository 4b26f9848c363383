"""The ledger: one verdict a trial, in the order of trials."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from libra.store import indexes, trial_ids
from libra.store.commit.transaction import transaction_factory
from libra.store.commit.verdict_commit import CommitStats
from libra.store.commit.verdict_writer import VerdictWriter
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.proto_documents import Document, from_document
from libra.v1.batch_pb2 import VerdictBatch
from libra.v1.verdict_pb2 import Verdict

SCAN_PAGE = 1000

BRIEF = {"outcome": 1, "completion_id": 1}


class VerdictCollection:
    """Every verdict, under the name of its trial and judging."""

    def __init__(self, database: Database, door: ErrorTranslator, bucket: int) -> None:
        self._collection = database[indexes.VERDICTS]
        self._door = door
        self._writer = VerdictWriter(transaction_factory(database, bucket), door)

    def add_observer(self, observer: Callable[[CommitStats], None]) -> None:
        """Have `observer` told of every commit."""
        self._writer.add_observer(observer)

    async def write(self, batches: Sequence[VerdictBatch]) -> int:
        """Return, once all are durable, how many of the verdicts were new; see `VerdictWriter.write`."""
        return await self._writer.write(batches)

    async def list_completed_trials(
        self, run: str, judging: int, model: str, task: str, attack: str
    ) -> set[tuple[int, int]]:
        """Return the (sample, epoch) of every trial of one cell that has its verdict."""
        wanted = _selection(run, judging, model, task, attack)
        with self._door():
            found = self._collection.find(wanted, {"_id": 1})
            trials = [trial_ids.parse_verdict_id(document["_id"]) async for document in found]
        return {(trial.sample, trial.epoch) for trial in trials}

    async def get_by_trial(
        self, run: str, model: str, task: str, attack: str, places: Sequence[tuple[int, int]]
    ) -> dict[tuple[int, int], Verdict]:
        """Return the verdicts of one cell's own judging at these (sample, epoch); those that are not there are left out."""
        names = [trial_ids.verdict_id(run, 0, model, task, attack, sample, epoch) for sample, epoch in places]
        with self._door():
            found = [verdict_of(document) async for document in self._collection.find({"_id": {"$in": names}})]
        return {(verdict.sample, verdict.epoch): verdict for verdict in found}

    async def scan(self, run: str, judging: int = 0) -> AsyncIterator[Verdict]:
        """Yield every verdict of a run in the order of trials, a page in memory at a time."""
        after = ""
        while page := await self.list(run, judging=judging, after=after, limit=SCAN_PAGE):
            for verdict in page:
                yield verdict
            after = page[-1].id

    async def close(self) -> None:
        """Fail whoever waits for a commit."""
        await self._writer.close()

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

        A `task` may come with its version or without. The selection is a range of ids as far as its parts go without a
        gap; from there on ids are compared, and only an `outcome` has documents read in vain.
        A `brief` verdict says which trial, which outcome and which completion, and nothing else.
        """
        wanted = _selection(run, judging, model, task, attack, after)
        if outcome is not None:
            wanted["outcome"] = outcome
        with self._door():
            found = self._collection.find(wanted, BRIEF if brief else None).sort("_id", 1).limit(limit)
            return [verdict_of(document) for document in await found.to_list(limit)]


def _selection(run: str, judging: int, model: str, task: str, attack: str, after: str = "") -> Document:
    """Return the filter for a part of a run: a range of `_id`, and a pattern for what the range cannot tell."""
    prefix = trial_ids.verdict_prefix(run, judging, model, task, attack)
    span: Document = {"$gt": max(after, prefix), "$lt": trial_ids.after_prefix(prefix)}
    complete = [part for part in (model, task, attack) if part]
    if prefix.count("/") - 2 < len(complete):
        span["$regex"] = trial_ids.verdict_pattern(run, judging, model, task, attack)
    return {"_id": span}


def verdict_of(document: Document) -> Verdict:
    """Return the verdict that a document holds, with what its id says."""
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
