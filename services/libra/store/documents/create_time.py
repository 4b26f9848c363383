"""The create_time of documents: its resolution, and the newest one of a collection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from libra.store.documents.proto_documents import Document

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorCollection

MICROSECONDS_PER_MILLISECOND = 1000


def now() -> datetime:
    """Return the current time, rounded down to the millisecond as MongoDB stores it."""
    moment = datetime.now(UTC)
    whole_milliseconds = moment.microsecond // MICROSECONDS_PER_MILLISECOND
    return moment.replace(microsecond=whole_milliseconds * MICROSECONDS_PER_MILLISECOND)


async def last_modified(collection: AsyncIOMotorCollection[Document], query: Document | None = None) -> int:
    """Return the newest create_time of the documents, in milliseconds since 1970; 0 if there is none.

    It is the time of the last change only where every change sets create_time.
    """
    found = await collection.find_one(query or {}, {"create_time": 1}, sort=[("create_time", -1)])
    return to_milliseconds(found["create_time"]) if found else 0


def to_milliseconds(time: datetime) -> int:
    """Return a time in milliseconds since 1970."""
    return round(time.timestamp() * 1000)
