"""The parameters that the endpoints of models refuse."""

from __future__ import annotations

from libra.store import indexes
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.completion_pb2 import Adjustment
from libra.v1.model_pb2 import Model


def entry_id(model: Model) -> str:
    """Return the id of a registration: a model that is registered again under its name has another one."""
    return f"{model.name}/{model.create_time.ToMilliseconds()}"


class AdjustmentCollection:
    """Stores one adjustment for each parameter of a registration; a later one replaces it."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.ADJUSTMENTS]
        self._translate_errors = translate_errors

    async def upsert(self, model: Model, adjustment: Adjustment) -> None:
        """Store an adjustment of a model's requests."""
        document = adjustment_document(model, adjustment)
        with self._translate_errors():
            await self._collection.replace_one({"_id": document["_id"]}, document, upsert=True)

    async def list(self) -> dict[str, list[Adjustment]]:
        """Return the adjustments of every registration by its id, in order of parameter."""
        with self._translate_errors():
            return by_entry([document async for document in self._collection.find().sort("_id", 1)])

    async def delete(self, name: str) -> None:
        """Delete the adjustments of every registration under a name."""
        with self._translate_errors():
            await self._collection.delete_many({"model": name})


def adjustment_document(model: Model, adjustment: Adjustment) -> Document:
    """Return the document of an adjustment."""
    entry = entry_id(model)
    ids = {"_id": f"{entry}/{adjustment.parameter}", "entry": entry, "model": model.name}
    return to_document(adjustment) | ids


def by_entry(documents: list[Document]) -> dict[str, list[Adjustment]]:
    """Return the adjustments of documents by registration."""
    found: dict[str, list[Adjustment]] = {}
    for document in documents:
        found.setdefault(document["entry"], []).append(from_document(Adjustment(), document))
    return found
