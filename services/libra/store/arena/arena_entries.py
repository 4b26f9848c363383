"""The models that take part in the arena, or have done so."""

from __future__ import annotations

from pymongo import ReturnDocument

from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.arena_pb2 import ArenaEntry


class EntryCollection:
    """Stores one entry for each model. An entry is never deleted."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.ENTRIES]
        self._translate_errors = translate_errors

    async def enter(self, entry: ArenaEntry) -> ArenaEntry:
        """Store an entry, or let a model take part again; return it. The time of the first entry stays."""
        change = {
            "$set": {"maker": entry.maker, "aliases": list(entry.aliases)},
            "$setOnInsert": {"enter_time": now()},
            "$unset": {"leave_time": ""},
        }
        with self._translate_errors():
            document = await self._collection.find_one_and_update(
                {"_id": entry.model}, change, upsert=True, return_document=ReturnDocument.AFTER
            )
        return _from_stored(document)

    async def leave(self, model: str) -> ArenaEntry | None:
        """End a model's part; return the entry, None without one. A repeat changes nothing."""
        with self._translate_errors():
            await self._collection.update_one(
                {"_id": model, "leave_time": {"$exists": False}}, {"$set": {"leave_time": now()}}
            )
            document = await self._collection.find_one({"_id": model})
        return _from_stored(document) if document else None

    async def list(self) -> list[ArenaEntry]:
        """Return all entries, in order of model."""
        with self._translate_errors():
            return [_from_stored(document) async for document in self._collection.find().sort("_id", 1)]


def _from_stored(document: Document) -> ArenaEntry:
    return from_document(ArenaEntry(model=document["_id"]), document)
