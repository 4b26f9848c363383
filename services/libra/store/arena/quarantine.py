"""Voters whose votes have no influence: marks beside the votes, which stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

from pymongo import ReturnDocument, UpdateOne

from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.arena_pb2 import QuarantinedVoter

MAX_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class QuarantineMarks:
    """The voters in quarantine, and those who may not be flagged again."""

    held: frozenset[str]
    lifted: frozenset[str]


class QuarantineCollection:
    """Stores one mark for each voter who was ever flagged."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.QUARANTINE]
        self._translate_errors = translate_errors

    async def add(self, voter: str, evidence: float, reason: str) -> None:
        """Quarantine a voter; one who was quarantined before, and perhaps released, stays as is."""
        fields = {"evidence": evidence, "reason": reason, "create_time": now()}
        with self._translate_errors():
            await self._collection.bulk_write([UpdateOne({"_id": voter}, {"$setOnInsert": fields}, upsert=True)])

    async def lift(self, voter: str) -> QuarantinedVoter | None:
        """End the quarantine of a voter; return the mark, None if the voter is not quarantined."""
        with self._translate_errors():
            document = await self._collection.find_one_and_update(
                {"_id": voter, "lift_time": {"$exists": False}},
                {"$set": {"lift_time": now()}},
                return_document=ReturnDocument.AFTER,
            )
        return _from_stored(document) if document else None

    async def get_marks(self) -> QuarantineMarks:
        """Return the marks of all voters."""
        held, lifted = set[str](), set[str]()
        with self._translate_errors():
            async for document in self._collection.find({}, {"lift_time": 1}):
                (lifted if "lift_time" in document else held).add(document["_id"])
        return QuarantineMarks(frozenset(held), frozenset(lifted))

    async def list(self) -> list[QuarantinedVoter]:
        """Return the voters who are quarantined now, the newest first."""
        with self._translate_errors():
            found = self._collection.find({"lift_time": {"$exists": False}}).sort("create_time", -1).limit(MAX_LISTED)
            return [_from_stored(document) async for document in found]


def _from_stored(document: Document) -> QuarantinedVoter:
    return from_document(QuarantinedVoter(voter=document["_id"]), document)
