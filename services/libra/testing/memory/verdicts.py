"""Verdicts, in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext

from libra.store.commit.verdict_writer import VerdictWriter
from libra.store.documents import trial_ids
from libra.store.documents.proto_documents import Document
from libra.store.verdicts import BRIEF_FIELDS, BaseVerdictCollection, verdict_from_document
from libra.testing.memory.transaction import transaction_factory
from libra.testing.memory.transport import MemoryClient
from libra.v1.verdict_pb2 import Verdict


class MemoryVerdicts(BaseVerdictCollection):
    """The twin of `libra.store.verdicts.VerdictCollection`."""

    def __init__(self, client: MemoryClient, bucket: int) -> None:
        super().__init__(VerdictWriter(transaction_factory(client, bucket), nullcontext))
        self._client, self._documents = client, client.server.verdicts

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
