"""Imported capability figures: for each model one that is shared, and one of each team."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ReplaceOne

from libra.core.access import team_scope
from libra.store import indexes
from libra.store.documents.create_time import last_modified, now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import visible
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.ranking_pb2 import Capability


class CapabilityCollection:
    """Stores the imported figure of each model under the model's name, and those of a team under its name too."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._database, self._translate_errors = database, translate_errors
        self._collection = database[indexes.CAPABILITIES]

    async def upsert(self, capabilities: Sequence[Capability]) -> list[Capability]:
        """Store the figures, all or none, and return them as stored; the store sets their create_time.

        A figure replaces the one that the same team has of the model. Raises ValueError if two belong to one model.
        """
        owned = {"team": team} if (team := team_scope.partition()) else {}
        more = {"create_time": now()} | owned
        documents = [
            to_document(capability) | {"_id": team_scope.qualified(capability.model)} | more
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
            return await last_modified(self._collection, visible())

    async def list(self) -> list[Capability]:
        """Return one figure of each model, in order of model.

        For a team it is its own figure, or else the shared one; without a team the shared one, or else one of a team.
        """
        with self._translate_errors():
            found = self._collection.find(visible()).sort([("model", 1), ("team", 1)])
            figures = [_capability_from_document(document) async for document in found]
        preferred = team_scope.partition()
        chosen: dict[str, Capability] = {}
        for figure in figures:
            if figure.model not in chosen or figure.team == preferred:
                chosen[figure.model] = figure
        return list(chosen.values())

    async def _replace(self, documents: Sequence[Document]) -> None:
        changes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]
        with self._translate_errors():
            async with await self._database.client.start_session() as session, session.start_transaction():
                await self._collection.bulk_write(changes, ordered=False, session=session)


def _capability_from_document(document: Document) -> Capability:
    return from_document(Capability(), document)
