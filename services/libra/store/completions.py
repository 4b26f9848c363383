"""What models answered, once per distinct request, with what they were asked."""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.errors import BulkWriteError

from libra.store import indexes
from libra.store.commit.group_commit import GroupCommit
from libra.store.error_translation import Database, ErrorTranslator, is_duplicate
from libra.store.proto_documents import Document, from_document, now, to_document
from libra.v1.completion_pb2 import FINISH_REASON_ERROR, Completion
from libra.v1.message_pb2 import Message

GROUP_COMPLETIONS = 512
"""In one insert: a majority write costs the same for one. Less if they are long."""

CHARACTERS_AS_ONE = 16 * 1024
"""An answer with its question counts once for each so many characters: a group holds some 8 MiB, or one pair."""

WITHOUT_MESSAGES = {"messages": 0}


@dataclass(slots=True)
class _Put:
    """An answer on its way, as it is given back and as it is written down."""

    completion: Completion
    document: Document


class CompletionCollection:
    """Every answer, under the hash of what shaped it. An error is no answer and is never kept."""

    def __init__(self, database: Database, door: ErrorTranslator) -> None:
        self._collection = database[indexes.COMPLETIONS]
        self._door = door
        self._group: GroupCommit[_Put, Completion] = GroupCommit(self._insert, weight=_weight, limit=GROUP_COMPLETIONS)

    async def get_many(self, ids: Several[str]) -> dict[str, Completion]:
        """Return those of the completions that there are, by id."""
        with self._door():
            found = self._collection.find({"_id": {"$in": list(ids)}}, WITHOUT_MESSAGES)
            return {document["_id"]: completion_of(document) async for document in found}

    async def find_existing(self, ids: Several[str]) -> set[str]:
        """Return which of the ids have a completion."""
        with self._door():
            found = self._collection.find({"_id": {"$in": list(ids)}}, {"_id": 1})
            return {document["_id"] async for document in found}

    async def get_messages(self, ids: Several[str]) -> dict[str, list[Message]]:
        """Return what was asked, by the id of the completion; ids without one are left out."""
        with self._door():
            found = self._collection.find({"_id": {"$in": list(ids)}}, {"messages": 1})
            return {
                document["_id"]: [Message(**message) for message in document.get("messages", [])]
                async for document in found
            }

    async def insert_or_get(self, completion: Completion, messages: Sequence[Message] = ()) -> Completion:
        """Return, once it is durable, the completion that is kept under this id: the first that came.

        An answer to the same request that another writer was faster with is returned in place of `completion`, so that
        what is judged is what is kept. Its create_time is set unless it is. FINISH_REASON_ERROR is handed back and not kept.
        """
        if completion.finish_reason == FINISH_REASON_ERROR:
            return completion
        document = to_document(completion)
        document["_id"] = document.pop("id")
        document["messages"] = [to_document(message) for message in messages]
        if "create_time" not in document:
            document["create_time"] = moment = now()
            completion.create_time.FromMilliseconds(round(moment.timestamp() * 1000))
        return await self._group.submit(_Put(completion, document))

    async def close(self) -> None:
        """Fail whoever waits for a commit."""
        await self._group.close()

    async def _insert(self, group: Sequence[_Put]) -> list[Completion]:
        first: dict[str, _Put] = {}
        for put in group:
            first.setdefault(put.completion.id, put)
        with self._door():
            kept = await self._insert_new([put.document for put in first.values()])
        return [kept.get(put.completion.id) or _kept(put, first[put.completion.id]) for put in group]

    async def _insert_new(self, documents: Sequence[Document]) -> dict[str, Completion]:
        """Insert, and return those that were there before."""
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not is_duplicate(error):
                raise
            taken = [documents[fault["index"]]["_id"] for fault in (error.details or {})["writeErrors"]]
            return await self.get_many(taken)
        return {}


def _weight(put: _Put) -> int:
    document = put.document
    asked = sum(len(message.get("content", "")) for message in document["messages"])
    return 1 + (asked + len(document.get("text", ""))) // CHARACTERS_AS_ONE


def _kept(put: _Put, first: _Put) -> Completion:
    """Return what was kept for `put`; no two callers are given one object."""
    return put.completion if put is first else completion_of(first.document)


def completion_of(document: Document) -> Completion:
    """Return the completion that a document holds, without what was asked."""
    fields = {name: value for name, value in document.items() if name != "messages"}
    return from_document(Completion(id=document["_id"]), fields)
