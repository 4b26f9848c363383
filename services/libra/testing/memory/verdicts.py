"""Verdicts, in memory."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import nullcontext

from libra.store import trial_ids
from libra.store.commit.verdict_commit import CommitStats
from libra.store.commit.verdict_writer import VerdictWriter
from libra.store.proto_documents import Document
from libra.store.verdicts import BRIEF_FIELDS, SCAN_PAGE, verdict_from_document
from libra.testing.memory.transaction import transaction_factory
from libra.testing.memory.transport import MemoryClient
from libra.v1.batch_pb2 import VerdictBatch
from libra.v1.verdict_pb2 import Verdict


class MemoryVerdicts:
    """The twin of `libra.store.verdicts.VerdictCollection`."""

    def __init__(self, client: MemoryClient, bucket: int) -> None:
        self._client, self._documents = client, client.server.verdicts
        self._writer = VerdictWriter(transaction_factory(client, bucket), nullcontext)

    def add_observer(self, observer: Callable[[CommitStats], None]) -> None:
        """Call `observer` after every commit."""
        self._writer.add_observer(observer)

    async def write(self, batches: Sequence[VerdictBatch]) -> int:
        """Return, once all are durable, how many of the verdicts were new; see `VerdictWriter.write`."""
        return await self._writer.write(batches)

    async def list_completed_trials(
        self, run: str, judging: int, model: str, task: str, attack: str
    ) -> set[tuple[int, int]]:
        """Return the (sample, epoch) of every trial of one cell that has a verdict."""
        pattern = re.compile(trial_ids.verdict_pattern(run, judging, model, task, attack))
        trials = await self._client.send(
            lambda: [trial_ids.parse_verdict_id(name) for name in self._documents if pattern.match(name)]
        )
        return {(trial.sample, trial.epoch) for trial in trials}

    async def get_by_trial(
        self, run: str, model: str, task: str, attack: str, trials: Sequence[tuple[int, int]]
    ) -> dict[tuple[int, int], Verdict]:
        """Return the verdicts of a run's own judging by (sample, epoch); trials without one are left out."""
        ids = [trial_ids.verdict_id(run, 0, model, task, attack, sample, epoch) for sample, epoch in trials]
        documents = await self._client.send(lambda: [self._documents[name] for name in ids if name in self._documents])
        return {(verdict.sample, verdict.epoch): verdict for verdict in map(verdict_from_document, documents)}

    async def scan(self, run: str, judging: int = 0) -> AsyncIterator[Verdict]:
        """Yield every verdict of a run in the order of trials."""
        after = ""
        while page := await self.list(run, judging=judging, after=after, limit=SCAN_PAGE):
            for verdict in page:
                yield verdict
            after = page[-1].id

    async def close(self) -> None:
        """Raise Unavailable in every caller that waits for a commit."""
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
        """Return up to `limit` verdicts in the order of trials, after the id `after`; see `VerdictCollection.list`."""
        pattern = re.compile(trial_ids.verdict_pattern(run, judging, model, task, attack))

        def find() -> list[Document]:
            names = sorted(name for name in self._documents if name > after and pattern.match(name))
            documents = [self._documents[name] for name in names]
            return [document for document in documents if outcome in {None, document["outcome"]}][:limit]

        shown = {"_id", *BRIEF_FIELDS}
        documents = await self._client.send(find)
        return [
            verdict_from_document({name: value for name, value in document.items() if not brief or name in shown})
            for document in documents
        ]
