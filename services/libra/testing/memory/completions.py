"""What models answered, in memory."""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Sequence

from libra.store.commit.group_commit import GroupCommit
from libra.store.completions import completion_of
from libra.store.proto_documents import Document, to_document
from libra.testing.memory.transport import MemoryClient
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message

GROUP_COMPLETIONS = 512


class MemoryCompletions:
    """As `libra.store.completions.Completions`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._kept = client, client.server.completions
        self._group: GroupCommit[Document, Completion] = GroupCommit(
            self._insert, weight=lambda _: 1, limit=GROUP_COMPLETIONS
        )

    async def get_many(self, ids: Several[str]) -> dict[str, Completion]:
        """Return those of the completions that there are, by id."""
        wanted = list(ids)
        return await self._client.send(
            lambda: {name: completion_of(self._kept[name]) for name in wanted if name in self._kept}
        )

    async def find_existing(self, ids: Several[str]) -> set[str]:
        """Return which of the ids have a completion."""
        wanted = list(ids)
        return await self._client.send(lambda: {name for name in wanted if name in self._kept})

    async def get_messages(self, ids: Several[str]) -> dict[str, list[Message]]:
        """Return what was asked, by the id of the completion; ids without one are left out."""
        wanted = list(ids)
        found = await self._client.send(
            lambda: {name: self._kept[name]["messages"] for name in wanted if name in self._kept}
        )
        return {name: [Message(**message) for message in messages] for name, messages in found.items()}

    async def insert_or_get(self, completion: Completion, messages: Sequence[Message] = ()) -> Completion:
        """Return the completion that is kept under this id: the first that came. FINISH_REASON_ERROR is not kept."""
        if completion.finish_reason == FinishReason.FINISH_REASON_ERROR:
            return completion
        document = to_document(completion)
        document["_id"] = document.pop("id")
        document["messages"] = [to_document(message) for message in messages]
        document.setdefault("create_time", self._client.server.now())
        return await self._group.submit(document)

    async def close(self) -> None:
        """Fail whoever waits for a commit."""
        await self._group.close()

    async def _insert(self, group: Sequence[Document]) -> list[Completion]:
        return await self._client.send(
            lambda: [completion_of(self._kept.setdefault(document["_id"], document)) for document in group]
        )
