"""The gateway replicas that may hold a lease on a model's limits: the record that outlives the lease table.

The table itself is in nats-server's memory, and a new one says nothing about leases that were written into its
predecessor. A replica is recorded here before it takes a lease, and removed once it uses nothing more.
"""

from __future__ import annotations

from collections.abc import Collection

import pymongo

from libra.store import indexes
from libra.store.error_translation import Database, ErrorTranslator

TIMEOUT_SECONDS = 3.0
FORGOTTEN_AFTER_MILLISECONDS = 60_000
"""Records are not removed by others before: their replica may be about to write its lease."""


class LeaseHolderCollection:
    """Stores one document for each lease holder, by its name."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.LEASE_HOLDERS]
        self._translate_errors = translate_errors

    async def add(self, model: str, holder: str) -> None:
        """Record that this holder may have a lease from now on; a repeat renews the time of the record."""
        change = {"$set": {"model": model}, "$currentDate": {"time": True}}
        with self._translate_errors(), pymongo.timeout(TIMEOUT_SECONDS):
            await self._collection.update_one({"_id": holder}, change, upsert=True)

    async def has_others(self, model: str, holder: str) -> bool:
        """Return whether another holder than this one is recorded for the model."""
        query = {"model": model, "_id": {"$ne": holder}}
        with self._translate_errors(), pymongo.timeout(TIMEOUT_SECONDS):
            return await self._collection.find_one(query, {"_id": 1}) is not None

    async def remove(self, holder: str) -> None:
        """Remove the record of a holder that has no lease and no request in flight."""
        with self._translate_errors(), pymongo.timeout(TIMEOUT_SECONDS):
            await self._collection.delete_one({"_id": holder})

    async def remove_all_except(self, model: str, holders: Collection[str]) -> None:
        """Remove the records of holders that are not among `holders`, the living ones, and are not new."""
        oldest = {"$subtract": ["$$NOW", FORGOTTEN_AFTER_MILLISECONDS]}
        query = {"model": model, "_id": {"$nin": sorted(holders)}, "$expr": {"$lt": ["$time", oldest]}}
        with self._translate_errors(), pymongo.timeout(TIMEOUT_SECONDS):
            await self._collection.delete_many(query)
