"""Imported capability figures, one for each model."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ReplaceOne

from libra.store import indexes
from libra.store.documents.create_time import last_modified, now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.ranking_pb2 import Capability


class CapabilityCollection:
    """Stores the imported figure of each model under the model's name."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._database, self._translate_errors = database, translate_errors
        self._collection = database[indexes.CAPABILITIES]

    async def upsert(self, capabilities: Sequence[Capability]) -> list[Capability]:
        """Store the figures, all or none, and return them as stored; the store sets their create_time.

        A figure replaces the model's previous one. Raises ValueError if two figures belong to one model.
        """
        create_time = now()
        documents = [
            to_document(capability) | {"_id": capability.model, "create_time": create_time}
            for capability in capabilities
        ]
        if len({document["_id"] for document in documents}) < len(documents):
            raise ValueError("two of the figures belong to one model: give each model one figure")
        if documents:
            await self._replace(documents)
        return [_capability_from_document(document) for document in documents]

    async def last_modified(self) -> int:
        """Return when a figure was last stored, in milliseconds since 1970; 0 if there is none."""
        with self._translate_errors():
            return await last_modified(self._collection)

    async def list(self) -> list[Capability]:
        """Return every figure, in order of model."""
        with self._translate_errors():
            return [_capability_from_document(document) async for document in self._collection.find().sort("_id", 1)]

    async def _replace(self, documents: Sequence[Document]) -> None:
        changes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        with self._translate_errors():
            async with await self._database.client.start_session() as session, session.start_transaction():
                await self._collection.bulk_write(changes, ordered=False, session=session)


def _capability_from_document(document: Document) -> Capability:
    return from_document(Capability(), document)
