"""When a collection changed last, where every change sets a create_time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from libra.store.proto_documents import Document

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorCollection


async def newest_in(collection: AsyncIOMotorCollection[Document]) -> int:
    """Return the newest create_time, in milliseconds since 1970; 0 if there is nothing."""
    found = await collection.find_one({}, {"create_time": 1}, sort=[("create_time", -1)])
    return round(found["create_time"].timestamp() * 1000) if found else 0
