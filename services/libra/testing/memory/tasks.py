"""Tasks and their samples, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import is_visible
from libra.store.tasks import check_sample_count, missing_samples
from libra.testing.memory.transport import MemoryClient
from libra.v1.task_pb2 import Sample, Task


class MemoryTasks:
    """The twin of `libra.store.tasks.TaskCollection`, with the methods that runs need."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def add(self, task: Task, samples: Iterable[Sample]) -> bool:
        """Store one version, whole or not at all; return False if it was stored before."""
        documents = [to_document(sample) for sample in samples]
        check_sample_count(task, len(documents))

        def insert() -> bool:
            ref = f"{task.name}@{task.version}"
            if ref in self._server.tasks:
                return False
            self._server.samples[ref] = documents
            self._server.tasks[ref] = to_document(task) | {"_id": ref, "create_time": self._server.now()}
            return True

        return await self._client.send(insert)

    async def get(self, ref: str) -> Task | None:
        """Return "name@version", or the newest version of "name"; None if it is not stored."""
        document = await self._client.send(lambda: self._find(ref))
        return from_document(Task(), document) if document else None

    async def delete_round(self, round_name: str) -> None:
        """Delete the versions of a round that was never published."""

        def delete() -> None:
            for ref in [ref for ref, each in self._server.tasks.items() if each.get("round") == round_name]:
                del self._server.tasks[ref], self._server.samples[ref]

        await self._client.send(delete)

    async def get_samples(self, ref: str, ordinals: Sequence[int]) -> list[Sample]:
        """Return the samples of "name@version" with these ordinals, in this order; raise NotFound if one is missing."""
        stored = await self._client.send(lambda: self._server.samples.get(ref, []))
        missing = [ordinal for ordinal in ordinals if not 0 <= ordinal < len(stored)]
        if missing:
            raise missing_samples(ref, missing)
        return [from_document(Sample(), stored[ordinal]) for ordinal in ordinals]

    def _find(self, ref: str) -> Document | None:
        if "@" in ref:
            document = self._server.tasks.get(ref)
            return document if document is not None and is_visible(document) else None
        versions = [
            document
            for document in self._server.tasks.values()
            if document["name"] == ref and not document.get("round") and is_visible(document)
        ]
        return max(versions, key=lambda document: (document["create_time"], document["_id"]), default=None)
