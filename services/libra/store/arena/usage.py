"""Counts the battles that each visitor and each address has started in the present hour."""

from __future__ import annotations

from datetime import datetime

from pymongo import ReturnDocument

from libra.store import indexes
from libra.store.error_translation import Database, ErrorTranslator


class UsageCollection:
    """One counter for each key and hour, deleted after the hour. Keys are hashes, never addresses."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.ARENA_USAGE]
        self._translate_errors = translate_errors

    async def get(self, key: str, hour: datetime) -> int:
        """Return the count of a key in the hour that begins at `hour`."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": _id(key, hour)})
        return int(document["count"]) if document else 0

    async def add(self, key: str, hour: datetime, number: int = 1) -> int:
        """Add to the count of a key in the hour that begins at `hour`; return the new count."""
        with self._translate_errors():
            document = await self._collection.find_one_and_update(
                {"_id": _id(key, hour)},
                {"$inc": {"count": number}, "$setOnInsert": {"hour": hour}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        return int(document["count"])


def _id(key: str, hour: datetime) -> str:
    return f"{key}/{hour:%Y-%m-%dT%H}"
