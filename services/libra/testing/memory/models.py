"""The registry of models, in memory."""

from __future__ import annotations

from libra.core.errors import Conflict
from libra.store.proto_documents import from_document, to_document
from libra.testing.memory.transport import MemoryClient
from libra.v1.model_pb2 import Model


class MemoryModels:
    """The twin of `libra.store.models.ModelCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def add(self, model: Model) -> Model:
        """Register a model and return it as stored; raise Conflict for another content under the same name."""
        content = to_document(model) | {"_id": model.name}
        content.pop("create_time", None)
        new = content | {"create_time": self._server.now()}
        stored = await self._client.send(lambda: self._server.models.setdefault(model.name, new))
        if {name: value for name, value in stored.items() if name != "create_time"} != content:
            raise Conflict(f"a model {model.name!r} is registered with another content", field="model.name")
        return from_document(Model(), stored)

    async def get(self, name: str) -> Model | None:
        """Return one model; None if it is not registered."""
        document = await self._client.send(lambda: self._server.models.get(name))
        return from_document(Model(), document) if document else None

    async def delete(self, name: str) -> bool:
        """Delete a model; return whether it was registered."""
        return await self._client.send(lambda: self._server.models.pop(name, None)) is not None

    async def list(self) -> list[Model]:
        """Return every model, in order of name."""
        models = self._server.models
        documents = await self._client.send(lambda: [models[name] for name in sorted(models)])
        return [from_document(Model(), document) for document in documents]
