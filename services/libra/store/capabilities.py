"""Figures of capability that were measured elsewhere, one a model."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ReplaceOne

from libra.store import indexes
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.last_modified import newest_in
from libra.store.proto_documents import Document, from_document, now, to_document
from libra.v1.ranking_pb2 import Capability


class CapabilityCollection:
    """Every imported figure, by the name of its model."""

    def __init__(self, database: Database, door: ErrorTranslator) -> None:
        self._database, self._door = database, door
        self._collection = database[indexes.CAPABILITIES]

    async def upsert(self, capabilities: Sequence[Capability]) -> list[Capability]:
        """Keep the figures, all or none, and return them as they are kept; their create_time is the store's to set.

        A model's figure takes the place of the one it had. ValueError if two are of one model.
        """
        moment = now()
        documents = [
            to_document(capability) | {"_id": capability.model, "create_time": moment} for capability in capabilities
        ]
        if len({document["_id"] for document in documents}) < len(documents):
            raise ValueError("two of the figures are of one model: which of them is to be kept?")
        if documents:
            await self._replace(documents)
        return [_capability(document) for document in documents]

    async def last_modified(self) -> int:
        """Return when the last figure was put, in milliseconds since 1970; 0 if there is none."""
        with self._door():
            return await newest_in(self._collection)

    async def list(self) -> list[Capability]:
        """Return every figure, in order of model."""
        with self._door():
            return [_capability(document) async for document in self._collection.find().sort("_id", 1)]

    async def _replace(self, documents: Sequence[Document]) -> None:
        changes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        with self._door():
            async with await self._database.client.start_session() as session, session.start_transaction():
                await self._collection.bulk_write(changes, ordered=False, session=session)


def _capability(document: Document) -> Capability:
    return from_document(Capability(), document)
