"""Labels, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from libra.store.documents import team_filter, trial_ids
from libra.store.labels.labels import LabelChanges, label_from_document, merge_labels
from libra.testing.memory.transport import MemoryClient
from libra.v1.label_pb2 import Label

MILLISECONDS_PER_SECOND = 1000


class MemoryLabels:
    """The twin of `libra.store.labels.labels.LabelCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._documents = client, client.server.labels

    async def upsert(self, labels: Sequence[Label], team: str = "") -> LabelChanges:
        """Store the labels, at most one for each trial, all or none; return the changes. The store sets create_time."""

        def write() -> LabelChanges:
            changes = merge_labels(labels, self._documents, self._client.server.now)
            owned = {"team": team} if team else {}
            self._documents.update({document["_id"]: document | owned for document in changes.documents})
            return changes

        return await self._client.send(write)

    async def get(self, trials: Sequence[str]) -> dict[str, Label]:
        """Return the labels of these trials by trial; trials without one are left out."""
        documents = await self._client.send(
            lambda: [self._documents[name] for name in trials if name in self._documents]
        )
        return {document["_id"]: label_from_document(document) for document in documents}

    async def list_for_runs(self, runs: Iterable[str]) -> list[Label]:
        """Return all labels of the runs, in order of run and trial."""
        return [label for run in sorted(set(runs)) for label in await self.list(run, limit=len(self._documents))]

    async def last_modified(self) -> int:
        """Return when a label was last stored, in milliseconds since 1970; 0 if there is none."""
        times = await self._client.send(
            lambda: [
                document["create_time"] for document in self._documents.values() if team_filter.is_visible(document)
            ]
        )
        return round(max(times).timestamp() * MILLISECONDS_PER_SECOND) if times else 0

    async def list(self, run: str, *, after: str = "", limit: int) -> list[Label]:
        """Return up to `limit` labels of a run in the order of trials, those after the id `after`."""
        prefix = trial_ids.verdict_prefix(run, 0)
        documents = await self._client.send(
            lambda: [
                self._documents[name] for name in sorted(self._documents) if name.startswith(prefix) and name > after
            ]
        )
        return [label_from_document(document) for document in documents[:limit]]
