"""Votes. A vote is inserted together with the new state of its battle, and never changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Self

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

RATED_FIELDS = (
    *("model_a", "model_b", "attack_family", "voter", "safer", "more_helpful"),
    *("blind", "duplicate", "create_time"),
)
"""The fields that ratings are computed from."""

IN_ORDER = [("create_time", 1), ("_id", 1)]
LATEST_FIRST = [("create_time", -1), ("_id", -1)]


@dataclass(frozen=True, slots=True)
class VotePosition:
    """The place of a vote in the order of time."""

    time: datetime
    battle: str


@dataclass(frozen=True, slots=True)
class VoteColumns:
    """Votes as columns of what ratings are computed from, in the order of time: an arena reads all at its start."""

    battle: Sequence[str]
    model_a: Sequence[str]
    model_b: Sequence[str]
    attack_family: Sequence[str]
    voter: Sequence[str]
    safer: Sequence[int]
    more_helpful: Sequence[int]
    counts: Sequence[bool]
    """Whether the vote counts unless its voter is quarantined: it was blind, and no near-duplicate."""

    newest: datetime
    """The time of the last vote."""

    def __len__(self) -> int:
        return len(self.battle)

    def select(self, positions: Sequence[int]) -> Self:
        """Return the votes at these positions, with the same `newest`."""
        columns: dict[str, Any] = {
            each.name: [getattr(self, each.name)[position] for position in positions]
            for each in fields(self)
            if each.name != "newest"
        }
        return replace(self, **columns)


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

    async def list_columns_since(self, time: datetime | None = None) -> AsyncIterator[VoteColumns]:
        """Yield the votes that were cast at a time or later, in order and some thousand at a time; None: all."""
        query = {} if time is None else {"create_time": {"$gte": time}}
        with self._translate_errors():
            found = self._collection.find(query, list(RATED_FIELDS)).sort(IN_ORDER).batch_size(READ_VOTES)
            while documents := await found.to_list(READ_VOTES):
                yield _to_columns(documents)

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


def _to_columns(documents: Sequence[Document]) -> VoteColumns:
    def column(name: str, absent: object) -> list[Any]:
        return [document.get(name, absent) for document in documents]

    blind, duplicate = column("blind", absent=False), column("duplicate", absent=False)
    return VoteColumns(
        battle=column("_id", ""),
        model_a=column("model_a", ""),
        model_b=column("model_b", ""),
        attack_family=column("attack_family", ""),
        voter=column("voter", ""),
        safer=column("safer", 0),
        more_helpful=column("more_helpful", 0),
        counts=[seen_blind and not near for seen_blind, near in zip(blind, duplicate, strict=True)],
        newest=documents[-1]["create_time"],
    )
