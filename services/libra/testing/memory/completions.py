"""Completions, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from libra.store.commit.group_commit import GroupCommit
from libra.store.completions import GROUP_COMPLETIONS, completion_from_document
from libra.store.documents.proto_documents import Document, to_document
from libra.testing.memory.transport import MemoryClient
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message


class MemoryCompletions:
    """The twin of `libra.store.completions.CompletionCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._documents = client, client.server.completions
        self._group: GroupCommit[Document, Completion] = GroupCommit(
            self._insert_group, weight=lambda _: 1, limit=GROUP_COMPLETIONS
        )

    async def get_many(self, ids: Collection[str]) -> dict[str, Completion]:
        """Return the stored completions by id; ids without one are left out."""
        names = list(ids)
        return await self._client.send(
            lambda: {name: completion_from_document(self._documents[name]) for name in names if name in self._documents}
        )

    async def find_existing(self, ids: Collection[str]) -> set[str]:
        """Return those of the ids that have a completion."""
        names = list(ids)
        return await self._client.send(lambda: {name for name in names if name in self._documents})

    async def get_messages(self, ids: Collection[str]) -> dict[str, list[Message]]:
        """Return the messages of the requests by id of the completion; ids without one are left out."""
        names = list(ids)
        found = await self._client.send(
            lambda: {name: self._documents[name]["messages"] for name in names if name in self._documents}
        )
        return {name: [Message(**message) for message in messages] for name, messages in found.items()}

    async def insert_or_get(self, completion: Completion, messages: Sequence[Message] = ()) -> Completion:
        """Return the completion that is stored under this id: the first. FINISH_REASON_ERROR is not stored."""
        if completion.finish_reason == FinishReason.FINISH_REASON_ERROR:
            return completion
        document = to_document(completion)
        document["_id"] = document.pop("id")
        document["messages"] = [to_document(message) for message in messages]
        document.setdefault("create_time", self._client.server.now())
        return await self._group.submit(document)

    async def close(self) -> None:
        """Raise Unavailable in every caller that waits for an insert."""
        await self._group.close()

    async def _insert_group(self, group: Sequence[Document]) -> list[Completion]:
        return await self._client.send(
            lambda: [
                completion_from_document(self._documents.setdefault(document["_id"], document)) for document in group
            ]
        )
