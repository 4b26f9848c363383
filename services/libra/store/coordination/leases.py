"""Leases that make one replica of a service the only one to do a task."""

from __future__ import annotations

import pymongo
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from libra.store import indexes
from libra.store.error_translation import Database, ErrorTranslator

TIMEOUT_SECONDS = 3.0


class LeaseCollection:
    """Stores one document for each leased task, by its name."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.LEASES]
        self._translate_errors = translate_errors

    async def acquire(self, task: str, holder: str, ttl_seconds: float) -> bool:
        """Acquire or renew the lease of a task; return whether `holder` has it now.

        It expires after `ttl_seconds` by the server's clock, so that the replicas' clocks need not agree.
        """
        is_free = {"$or": [{"$eq": ["$holder", holder]}, {"$lt": [{"$ifNull": ["$until", None]}, "$$NOW"]}]}
        until = {"$add": ["$$NOW", round(ttl_seconds * 1000)]}
        change = {
            "holder": {"$cond": [is_free, {"$literal": holder}, "$holder"]},
            "until": {"$cond": [is_free, until, "$until"]},
        }
        with self._translate_errors(), pymongo.timeout(TIMEOUT_SECONDS):
            try:
                lease = await self._collection.find_one_and_update(
                    {"_id": task}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:  # another replica has just created the lease
                return False
        return bool(lease["holder"] == holder)

    async def release(self, task: str, holder: str) -> None:
        """Release the lease if `holder` has it."""
        with self._translate_errors(), pymongo.timeout(TIMEOUT_SECONDS):
            await self._collection.delete_one({"_id": task, "holder": holder})
