"""The log of looks at sealed samples. No entry is changed or deleted."""

from __future__ import annotations

from ulid import ULID

from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.round_pb2 import SealedLook


class LookCollection:
    """Stores looks at sealed samples, in the order of time."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.SEALED_LOOKS]
        self._translate_errors = translate_errors

    async def add(self, look: SealedLook) -> None:
        """Store a look; the store sets its create_time."""
        with self._translate_errors():
            await self._collection.insert_one(to_document(look) | {"_id": str(ULID()), "create_time": now()})

    async def list(self, round_name: str, *, before: str = "", limit: int) -> list[tuple[str, SealedLook]]:
        """Return up to `limit` looks with their ids, the newest first, those older than the id `before`."""
        query: Document = {"round": round_name} | ({"_id": {"$lt": before}} if before else {})
        with self._translate_errors():
            found = self._collection.find(query).sort("_id", -1).limit(limit)
            return [(document["_id"], from_document(SealedLook(), document)) async for document in found]
