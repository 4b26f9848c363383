"""Votes. A vote is inserted together with the new state of its battle, and never changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from pymongo.errors import OperationFailure

from libra.store import indexes
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.error_translation import Database, ErrorTranslator, is_write_conflict
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import Vote

READ_VOTES = 5_000
"""The most in one read."""

LATEST_PROMPTS = 500
"""Number of a voter's earlier prompts that are compared with a new one."""

MAX_ATTEMPTS = 5
"""Attempts at a transaction that another one disturbs."""

IN_ORDER = [("create_time", 1), ("_id", 1)]
LATEST_FIRST = [("create_time", -1), ("_id", -1)]


@dataclass(frozen=True, slots=True)
class VotePosition:
    """The place of a vote in the order of time."""

    time: datetime
    battle: str


class VoteCollection:
    """Stores one vote for each battle, under the battle's id."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._database, self._translate_errors = database, translate_errors
        self._collection = database[indexes.VOTES]

    async def insert(self, vote: Vote, signature: bytes) -> bool:
        """Store a vote and close its battle, both or neither; return False if the battle is not open.

        `signature` is the MinHash of the battle's prompt.
        """
        document = {"_id": vote.battle, "signature": signature} | to_document(vote)
        with self._translate_errors():
            for attempt in range(MAX_ATTEMPTS):
                try:
                    return await self._insert(document)
                except OperationFailure as error:
                    if not is_write_conflict(error) or attempt == MAX_ATTEMPTS - 1:
                        raise
        return False

    async def _insert(self, document: Document) -> bool:
        query = {"_id": document["_id"], "state": pb.BATTLE_STATE_OPEN}
        change = {"$set": {"state": pb.BATTLE_STATE_VOTED, "vote_digest": document["digest"]}}
        async with await self._database.client.start_session() as session, session.start_transaction():
            closed = await self._database[indexes.BATTLES].update_one(query, change, session=session)
            if not closed.matched_count:
                return False
            await self._collection.insert_one(document, session=session)
        return True

    async def get(self, battle: str) -> Vote | None:
        """Return the vote of a battle; None if it has none."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": battle})
        return from_stored(document) if document else None

    async def list_signatures(self, voter: str) -> list[bytes]:
        """Return the MinHashes of the prompts that a voter has voted on, the newest first."""
        with self._translate_errors():
            found = self._collection.find({"voter": voter}, {"signature": 1}).sort(LATEST_FIRST).limit(LATEST_PROMPTS)
            return [bytes(document["signature"]) async for document in found]

    async def list_since(self, time: datetime | None = None) -> AsyncIterator[Vote]:
        """Yield the votes that were cast at a time or later, in order; None: all."""
        query = {} if time is None else {"create_time": {"$gte": time}}
        with self._translate_errors():
            async for document in self._collection.find(query, {"signature": 0}).sort(IN_ORDER).batch_size(READ_VOTES):
                yield from_stored(document)

    async def list_latest(
        self, *, limit: int, before: VotePosition | None = None, voter: str = "", model: str = ""
    ) -> list[Vote]:
        """Return up to `limit` votes, the newest first, those before a position."""
        query: Document = {"voter": voter} if voter else {}
        parts: list[Document] = []
        if model:
            parts.append({"$or": [{"model_a": model}, {"model_b": model}]})
        if before is not None:
            same_time = {"create_time": before.time, "_id": {"$lt": before.battle}}
            parts.append({"$or": [{"create_time": {"$lt": before.time}}, same_time]})
        if parts:
            query["$and"] = parts
        with self._translate_errors():
            found = self._collection.find(query, {"signature": 0}).sort(LATEST_FIRST).limit(limit)
            return [from_stored(document) async for document in found]

    async def get_battle_digests(self, battles: list[str]) -> dict[str, str]:
        """Return the digest of the vote that each of these battles was closed with."""
        with self._translate_errors():
            found = self._database[indexes.BATTLES].find({"_id": {"$in": battles}}, {"vote_digest": 1})
            return {document["_id"]: str(document.get("vote_digest", "")) async for document in found}


def from_stored(document: Document) -> Vote:
    """Return the vote of a document."""
    return from_document(Vote(battle=document["_id"]), document)
