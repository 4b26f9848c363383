"""The registry of models. It never contains an API key."""

from __future__ import annotations

from collections.abc import Mapping

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from libra.core.errors import Conflict
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import changeable, name_taken, visible
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.model_pb2 import Model


class ModelCollection:
    """Stores every registered model under its name. A task sees and changes only the models that its team does."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.MODELS]
        self._translate_errors = translate_errors

    async def add(self, model: Model) -> Model:
        """Register a model and return it as stored; the store sets its create_time.

        The same content again returns the stored model. Raises Conflict for another content under the same name.
        """
        document = to_document(model) | {"_id": model.name, "create_time": now()}
        with self._translate_errors():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                stored = await self.get(model.name)
                if stored is None:
                    raise name_taken("model.name", model.name) from None
                if not _has_same_content(stored, model):
                    raise Conflict(
                        f"a model {model.name!r} is registered with another content: remove it first "
                        f"(`libra models remove {model.name}`), or use another name",
                        field="model.name",
                    ) from None
                return stored
        return _model_from_document(document)

    async def get(self, name: str) -> Model | None:
        """Return one model; None if it is not registered."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": name} | visible())
        return _model_from_document(document) if document else None

    async def update(self, name: str, numbers: Mapping[str, float]) -> Model | None:
        """Set numbers of a model, by path, for instance "limits.max_in_flight"; return the model, None without one."""
        after = ReturnDocument.AFTER
        with self._translate_errors():
            query = {"_id": name} | changeable()
            found = await self._collection.find_one_and_update(query, {"$set": numbers}, return_document=after)
        return _model_from_document(found) if found else None

    async def delete(self, name: str) -> bool:
        """Delete a model; return whether it was registered."""
        with self._translate_errors():
            return (await self._collection.delete_one({"_id": name} | changeable())).deleted_count > 0

    async def list(self) -> list[Model]:
        """Return every model, in order of name."""
        with self._translate_errors():
            return [
                _model_from_document(document) async for document in self._collection.find(visible()).sort("_id", 1)
            ]


def _has_same_content(stored: Model, model: Model) -> bool:
    """Return whether two models differ in nothing but their create_time."""
    copy = Model()
    copy.CopyFrom(model)
    if stored.HasField("create_time"):
        copy.create_time.CopyFrom(stored.create_time)
    return copy == stored


def _model_from_document(document: Document) -> Model:
    return from_document(Model(), document)
