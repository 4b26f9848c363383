"""The parked models: which ones no request is sent to, why, and when the next probe is due.

All times are compared by the server's clock, so that the clocks of the gateway replicas need not agree. An entry is
touched while requests wait for its model; one that was not touched for a minute no longer counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from pymongo.errors import DuplicateKeyError

from libra.store import indexes
from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, ErrorTranslator

STALE_SECONDS = 60.0
"""An entry that no replica has touched for this long no longer counts."""

IS_CURRENT: Document = {"$gt": ["$touch_time", {"$subtract": ["$$NOW", round(STALE_SECONDS * 1000)]}]}


def is_current(touch_time: datetime, now: datetime) -> bool:
    """Return whether an entry still counts."""
    return now - touch_time < timedelta(seconds=STALE_SECONDS)


@dataclass(frozen=True, slots=True)
class ParkedModel:
    """Cause of a model's parking, and the time of its next probe; all replicas share one entry."""

    model: str
    cause: str
    reason: str
    probes: int
    """Probes that were sent since it was parked."""

    is_named: bool
    """Whether the provider has named the time of the next probe."""

    park_time: datetime
    probe_time: datetime
    now: datetime
    """The server's clock when the entry was read."""

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Return the entry that a document with the server's time stores."""
        names = ("cause", "reason", "probes", "park_time", "probe_time", "now")
        known = {name: document[name] for name in names}
        return cls(model=document["_id"], is_named=document.get("is_named", False), **known)


class ParkedModels:
    """One entry for each parked model, changed by compare-and-set."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.PARKED_MODELS]
        self._translate_errors = translate_errors

    async def park(
        self, model: str, cause: str, reason: str, probe_after_seconds: float, *, is_named: bool = False
    ) -> None:
        """Park a model, unless another replica has parked it before."""
        new: Document = {"cause": _text(cause), "reason": _text(reason), "probes": 0, "park_time": "$$NOW"}
        new |= {"touch_time": "$$NOW", "probe_time": _in(probe_after_seconds), "is_named": is_named}
        kept = {name: {"$cond": ["$is_current", f"${name}", value]} for name, value in new.items()}
        change: list[Document] = [{"$set": {"is_current": IS_CURRENT}}, {"$set": kept}, {"$unset": "is_current"}]
        with self._translate_errors():
            try:
                await self._collection.update_one({"_id": model}, change, upsert=True)
            except DuplicateKeyError:  # another replica parked it at the same moment
                return

    async def claim_probe(self, model: str, seconds: float) -> bool:
        """Return whether this replica sends the next probe: it is due, and no other has claimed it for `seconds`.

        A model without an entry is no longer parked, so that its next request is no probe: the answer is True.
        """
        is_due = {"$expr": {"$lte": ["$probe_time", "$$NOW"]}}
        change = [{"$set": {"probe_time": _in(seconds), "touch_time": "$$NOW", "probes": {"$add": ["$probes", 1]}}}]
        with self._translate_errors():
            if (await self._collection.update_one({"_id": model, **is_due}, change)).matched_count:
                return True
            return await self._collection.find_one({"_id": model}, {"_id": 1}) is None

    async def postpone(
        self, model: str, cause: str, reason: str, probe_after_seconds: float, *, is_named: bool = False
    ) -> None:
        """Set the time of the next probe, after one that failed."""
        change: Document = {"cause": _text(cause), "reason": _text(reason), "is_named": is_named}
        change |= {"probe_time": _in(probe_after_seconds)}
        with self._translate_errors():
            await self._collection.update_one({"_id": model}, [{"$set": change | {"touch_time": "$$NOW"}}])

    async def hasten(self, model: str) -> None:
        """Make the next probe due now: a new run asks for the model."""
        with self._translate_errors():
            await self._collection.update_one({"_id": model}, [{"$set": {"probe_time": "$$NOW"}}])

    async def touch(self, model: str) -> None:
        """Keep an entry current: requests wait for the model."""
        with self._translate_errors():
            await self._collection.update_one({"_id": model}, [{"$set": {"touch_time": "$$NOW"}}])

    async def unpark(self, model: str) -> None:
        """Remove the entry of a model."""
        with self._translate_errors():
            await self._collection.delete_one({"_id": model})

    async def list(self) -> dict[str, ParkedModel]:
        """Return the parked models by name."""
        with self._translate_errors():
            found = self._collection.aggregate([{"$match": {"$expr": IS_CURRENT}}, {"$set": {"now": "$$NOW"}}])
            return {document["_id"]: ParkedModel.from_document(document) async for document in found}


def _in(seconds: float) -> Document:
    return {"$add": ["$$NOW", round(seconds * 1000)]}


def _text(text: str) -> Document:
    """Return a text as an expression that a "$" in it does not change."""
    return {"$literal": text}
