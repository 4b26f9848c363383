"""Completions, stored once for each distinct request, with the messages of the request.

A completion whose text was removed (`libra.store.maintenance.retention`) counts as existing for an audit only: its
request is asked again, and the new answer takes its place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pymongo.errors import BulkWriteError, ExecutionTimeout

from libra.store import indexes
from libra.store.commit.group_commit import GroupCommit
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.error_translation import Database, ErrorTranslator, is_duplicate
from libra.store.maintenance.retention.policy import RETIRE_TIME
from libra.v1.completion_pb2 import FINISH_REASON_ERROR, Completion
from libra.v1.message_pb2 import Message

GROUP_COMPLETIONS = 512
"""The most in one insert, and fewer if they are long: a majority write costs the same for one."""

CHARACTERS_PER_WEIGHT = 16 * 1024
"""A completion and its messages weigh one more for each 16 Ki characters: a group is about 8 MiB, or one completion."""

WITHOUT_MESSAGES = {"messages": 0}
WITH_TEXT: Document = {RETIRE_TIME: None}


@dataclass(slots=True)
class _PendingInsert:
    """A completion that waits to be inserted, as a message and as a document."""

    completion: Completion
    document: Document


class CompletionCollection:
    """Stores every completion under the hash of its request. Errors are not stored."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.COMPLETIONS]
        self._translate_errors = translate_errors
        self._group: GroupCommit[_PendingInsert, Completion] = GroupCommit(
            self._insert_group, weight=_weight, limit=GROUP_COMPLETIONS
        )

    async def get_many(self, ids: Collection[str]) -> dict[str, Completion]:
        """Return the stored completions by id; ids without one are left out."""
        with self._translate_errors():
            found = self._collection.find({"_id": {"$in": list(ids)}, **WITH_TEXT}, WITHOUT_MESSAGES)
            return {document["_id"]: completion_from_document(document) async for document in found}

    async def mean_usage(self, model: str, limit: int, seconds: float) -> tuple[float, float] | None:
        """Return the mean tokens of prompt and answer over the newest completions of a model, at most `limit` of them.

        None if the provider counted none, or if none is found within `seconds`: there is no index by model.
        """
        counted = {"model": model, "usage_unknown": {"$ne": True}, "usage": {"$exists": True}}
        with self._translate_errors():
            try:
                cursor = self._collection.find(counted, {"usage": 1}).sort("$natural", -1).limit(limit)
                found = [each["usage"] async for each in cursor.max_time_ms(round(seconds * 1000))]
            except ExecutionTimeout:
                return None
        if not found:
            return None
        sums = [sum(usage.get(name, 0) for usage in found) for name in ("prompt_tokens", "completion_tokens")]
        return sums[0] / len(found), sums[1] / len(found)

    async def find_existing(self, ids: Collection[str]) -> set[str]:
        """Return those of the ids that have a completion, also those whose text was removed."""
        with self._translate_errors():
            found = self._collection.find({"_id": {"$in": list(ids)}}, {"_id": 1})
            return {document["_id"] async for document in found}

    async def get_messages(self, ids: Collection[str]) -> dict[str, list[Message]]:
        """Return the messages of the requests by id of the completion; ids without one are left out."""
        with self._translate_errors():
            found = self._collection.find({"_id": {"$in": list(ids)}, **WITH_TEXT}, {"messages": 1})
            return {
                document["_id"]: [Message(**message) for message in document.get("messages", [])]
                async for document in found
            }

    async def insert_or_get(self, completion: Completion, messages: Sequence[Message] = ()) -> Completion:
        """Return, once it is durable, the completion that is stored under this id: the first that was inserted.

        If another writer stored a completion of the same request first, that one is returned, so that the judged text
        is the stored text. A missing create_time is set. A completion with FINISH_REASON_ERROR is returned and not
        stored.
        """
        if completion.finish_reason == FINISH_REASON_ERROR:
            return completion
        document = to_document(completion)
        document["_id"] = document.pop("id")
        document["messages"] = [to_document(message) for message in messages]
        if "create_time" not in document:
            document["create_time"] = create_time = now()
            completion.create_time.FromMilliseconds(round(create_time.timestamp() * 1000))
        return await self._group.submit(_PendingInsert(completion, document))

    async def close(self) -> None:
        """Raise Unavailable in every caller that waits for an insert."""
        await self._group.close()

    async def _insert_group(self, group: Sequence[_PendingInsert]) -> list[Completion]:
        first: dict[str, _PendingInsert] = {}
        for pending in group:
            first.setdefault(pending.completion.id, pending)
        with self._translate_errors():
            earlier = await self._insert_new([pending.document for pending in first.values()])
        return [
            earlier.get(pending.completion.id) or _stored(pending, first[pending.completion.id]) for pending in group
        ]

    async def _insert_new(self, documents: Sequence[Document]) -> dict[str, Completion]:
        """Insert the documents, and return the completions that were stored before."""
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not is_duplicate(error):
                raise
            write_errors = (error.details or {})["writeErrors"]
            return await self._get_or_replace([documents[write_error["index"]] for write_error in write_errors])
        return {}

    async def _get_or_replace(self, documents: Sequence[Document]) -> dict[str, Completion]:
        """Return the completions that exist under these ids; put a document in the place of one without its text."""
        ids = [document["_id"] for document in documents]
        found = await self.get_many(ids)
        if len(found) < len(ids):
            for document in documents:
                if document["_id"] not in found:
                    query = {"_id": document["_id"], RETIRE_TIME: {"$ne": None}}
                    await self._collection.replace_one(query, document)
            found = await self.get_many(ids)  # another writer may have been faster
        return found


def _weight(pending: _PendingInsert) -> int:
    document = pending.document
    message_characters = sum(len(message.get("content", "")) for message in document["messages"])
    return 1 + (message_characters + len(document.get("text", ""))) // CHARACTERS_PER_WEIGHT


def _stored(pending: _PendingInsert, first: _PendingInsert) -> Completion:
    """Return the completion that was stored for `pending`; every caller gets an object of its own."""
    return pending.completion if pending is first else completion_from_document(first.document)


def completion_from_document(document: Document) -> Completion:
    """Return the completion that a document stores, without the messages."""
    fields = {name: value for name, value in document.items() if name != "messages"}
    return from_document(Completion(id=document["_id"]), fields)
