"""The registry of models and what was learned about their endpoints, in memory."""

from __future__ import annotations

from collections.abc import Mapping

from libra.core.errors import Conflict
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import is_changeable, is_visible, name_taken
from libra.store.models.adjustments import adjustment_document, by_entry
from libra.testing.memory.transport import MemoryClient
from libra.v1.completion_pb2 import Adjustment
from libra.v1.model_pb2 import Model


class MemoryModels:
    """The twin of `libra.store.models.registry.ModelCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def add(self, model: Model) -> Model:
        """Register a model and return it as stored; raise Conflict for another content under the same name."""
        content = to_document(model) | {"_id": model.name}
        content.pop("create_time", None)
        new = content | {"create_time": self._server.now()}
        stored = await self._client.send(lambda: self._server.models.setdefault(model.name, new))
        if not is_visible(stored):
            raise name_taken("model.name", model.name)
        if {name: value for name, value in stored.items() if name != "create_time"} != content:
            raise Conflict(f"a model {model.name!r} is registered with another content", field="model.name")
        return from_document(Model(), stored)

    async def get(self, name: str) -> Model | None:
        """Return one model; None if it is not registered."""
        document = await self._client.send(lambda: self._server.models.get(name))
        return from_document(Model(), document) if document and is_visible(document) else None

    async def update(self, name: str, numbers: Mapping[str, float]) -> Model | None:
        """Set numbers of a model, by path; return the model, None without one."""

        def update() -> Document | None:
            document = self._server.models.get(name)
            if document is None or not is_changeable(document):
                return None
            for path, number in numbers.items():
                group, _, field = path.partition(".")
                document[group] = document.get(group, {}) | {field: number}
            return document

        changed = await self._client.send(update)
        return from_document(Model(), changed) if changed else None

    async def delete(self, name: str) -> bool:
        """Delete a model; return whether it was registered."""

        def delete() -> bool:
            if not is_changeable(self._server.models.get(name, {})):
                return False
            return self._server.models.pop(name, None) is not None

        return await self._client.send(delete)

    async def list(self) -> list[Model]:
        """Return every model, in order of name."""
        models = self._server.models
        documents = await self._client.send(lambda: [models[name] for name in sorted(models)])
        return [from_document(Model(), document) for document in documents if is_visible(document)]


class MemoryAdjustments:
    """The twin of `libra.store.models.adjustments.AdjustmentCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._documents = client, client.server.adjustments

    async def upsert(self, model: Model, adjustment: Adjustment) -> None:
        """Store an adjustment of a model's requests."""
        document = adjustment_document(model, adjustment)
        await self._client.send(lambda: self._documents.update({document["_id"]: document}))

    async def list(self) -> dict[str, list[Adjustment]]:
        """Return the adjustments of every registration by its id, in order of parameter."""
        documents = await self._client.send(lambda: [self._documents[name] for name in sorted(self._documents)])
        return by_entry(documents)

    async def delete(self, name: str) -> None:
        """Delete the adjustments of every registration under a name."""
        await self._client.send(lambda: self._delete(name))

    def _delete(self, name: str) -> None:
        for stored in [each for each, document in self._documents.items() if document["model"] == name]:
            del self._documents[stored]
