"""The registry of models. It never holds a key."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from libra.errors import Conflict
from libra.store import indexes
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.proto_documents import Document, from_document, now, to_document
from libra.v1.model_pb2 import Model


class ModelCollection:
    """Every registered model, by name."""

    def __init__(self, database: Database, door: ErrorTranslator) -> None:
        self._collection = database[indexes.MODELS]
        self._door = door

    async def add(self, model: Model) -> Model:
        """Register a model and return it as stored; its create_time is the store's to set.

        The same content again returns what is there; another content under the same name is a Conflict.
        """
        document = to_document(model) | {"_id": model.name, "create_time": now()}
        with self._door():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                kept = await self.get(model.name)
                if kept is None or not _same(kept, model):
                    raise Conflict(
                        f"a model {model.name!r} is registered with another content: delete it first, or take another name",
                        field="model.name",
                    ) from None
                return kept
        return _model(document)

    async def get(self, name: str) -> Model | None:
        """Return one model."""
        with self._door():
            document = await self._collection.find_one({"_id": name})
        return _model(document) if document else None

    async def delete(self, name: str) -> bool:
        """Forget a model; return whether there was one."""
        with self._door():
            return (await self._collection.delete_one({"_id": name})).deleted_count > 0

    async def list(self) -> list[Model]:
        """Return every model, in order of name."""
        with self._door():
            return [_model(document) async for document in self._collection.find().sort("_id", 1)]


def _same(one: Model, other: Model) -> bool:
    """Return whether two models differ in nothing but when they were registered."""
    plain = Model()
    plain.CopyFrom(other)
    if one.HasField("create_time"):
        plain.create_time.CopyFrom(one.create_time)
    return plain == one


def _model(document: Document) -> Model:
    return from_document(Model(), document)
