"""Battles. Every change is guarded by the state that it starts from, so that a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from libra.store import indexes
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import Battle, BattleTurn

UNSTORED = ("vote", "ballot", "ballot_expire_time")
"""Fields of a battle that are not part of its document."""


@dataclass(frozen=True, slots=True)
class StoredBattle:
    """A battle with names, and what no visitor sees."""

    battle: Battle
    visitor: str
    """The keyed hash of who started it."""

    faults: tuple[str, ...] = ()
    """Faults, in the gateway's words."""


class BattleCollection:
    """Stores battles under their ids."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.BATTLES]
        self._translate_errors = translate_errors

    async def insert(self, battle: Battle, visitor: str) -> StoredBattle:
        """Store a new battle; return the one that was started before in place of the same failed battle, if any."""
        document = {"_id": battle.id, "visitor": visitor} | to_document(battle)
        with self._translate_errors():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                document = await self._collection.find_one({"replaces": battle.replaces}) or document
        return from_stored(document)

    async def get(self, battle: str) -> StoredBattle | None:
        """Return a battle; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": battle})
        return from_stored(document) if document else None

    async def get_many(self, ids: Sequence[str]) -> dict[str, StoredBattle]:
        """Return battles by id; unknown ones are left out."""
        with self._translate_errors():
            found = self._collection.find({"_id": {"$in": list(ids)}})
            return {document["_id"]: from_stored(document) async for document in found}

    async def add_turn(self, battle: str, position: int, turn: BattleTurn) -> bool:
        """Add a turn to an open battle that has `position` turns; return whether it was added."""
        query = {"_id": battle, "state": pb.BATTLE_STATE_OPEN, "turns": {"$size": position}}
        change = {
            "$push": {"turns": to_document(turn)},
            "$set": {"state": pb.BATTLE_STATE_ANSWERING},
            "$unset": {"problem": "", "failed_sides": ""},
        }
        return await self._update(query, change) is not None

    async def end_turn(self, battle: str, position: int, turn: BattleTurn) -> StoredBattle | None:
        """Store the answers of the turn that a battle waits for; return the battle, None if it does not wait."""
        masked = turn.a.masked or turn.b.masked
        change: dict[str, Any] = {f"turns.{position}": to_document(turn), "state": pb.BATTLE_STATE_OPEN}
        if masked:
            change["identity_masked"] = True
        return await self._update(_waiting(battle, position), {"$set": change})

    async def fail_turn(
        self, battle: str, position: int, failed: Sequence[pb.Side.ValueType], problem: str, faults: Sequence[str]
    ) -> StoredBattle | None:
        """Record that models failed in the turn that a battle waits for; return the battle, None if it does not wait.

        The failure of the first turn ends the battle. That of a later one takes the turn away, so that the earlier ones
        can be voted on.
        """
        state = pb.BATTLE_STATE_OPEN if position else pb.BATTLE_STATE_FAILED
        change: dict[str, Any] = {
            "$set": {"state": state, "problem": problem, "failed_sides": list(failed)},
            "$push": {"faults": {"$each": list(faults)}},
        }
        if position:
            change["$pop"] = {"turns": 1}
        return await self._update(_waiting(battle, position), change)

    async def reveal(self, battle: str) -> StoredBattle | None:
        """Show the names of a battle without a vote; return it, None if it has one."""
        states = [pb.BATTLE_STATE_OPEN, pb.BATTLE_STATE_ANSWERING, pb.BATTLE_STATE_FAILED, pb.BATTLE_STATE_REVEALED]
        return await self._update(
            {"_id": battle, "state": {"$in": states}}, {"$set": {"state": pb.BATTLE_STATE_REVEALED}}
        )

    async def count_voted(self) -> int:
        """Return the number of battles with a vote."""
        with self._translate_errors():
            return await self._collection.count_documents({"state": pb.BATTLE_STATE_VOTED})

    async def _update(self, query: Document, change: Document) -> StoredBattle | None:
        with self._translate_errors():
            document = await self._collection.find_one_and_update(query, change, return_document=ReturnDocument.AFTER)
        return from_stored(document) if document else None


def _waiting(battle: str, position: int) -> Document:
    return {"_id": battle, "state": pb.BATTLE_STATE_ANSWERING, "turns": {"$size": position + 1}}


def from_stored(document: Document) -> StoredBattle:
    """Return the battle of a document."""
    fields = {name: value for name, value in document.items() if name not in UNSTORED}
    battle = from_document(Battle(id=document["_id"]), fields)
    return StoredBattle(battle, document["visitor"], tuple(document.get("faults", ())))
