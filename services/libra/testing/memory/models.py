"""The registry of models, in memory."""

from __future__ import annotations

from libra.errors import Conflict
from libra.store.proto_documents import from_document, to_document
from libra.testing.memory.transport import MemoryClient
from libra.v1.model_pb2 import Model


class MemoryModels:
    """As `libra.store.models.Models`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def add(self, model: Model) -> Model:
        """Register a model and return it as stored; another content under the same name is a Conflict."""
        asked = to_document(model) | {"_id": model.name}
        asked.pop("create_time", None)
        new = asked | {"create_time": self._server.now()}
        kept = await self._client.send(lambda: self._server.models.setdefault(model.name, new))
        if {name: value for name, value in kept.items() if name != "create_time"} != asked:
            raise Conflict(f"a model {model.name!r} is registered with another content", field="model.name")
        return from_document(Model(), kept)

    async def get(self, name: str) -> Model | None:
        """Return one model."""
        document = await self._client.send(lambda: self._server.models.get(name))
        return from_document(Model(), document) if document else None

    async def delete(self, name: str) -> bool:
        """Forget a model; return whether there was one."""
        return await self._client.send(lambda: self._server.models.pop(name, None)) is not None

    async def list(self) -> list[Model]:
        """Return every model, in order of name."""
        documents = await self._client.send(lambda: [self._server.models[name] for name in sorted(self._server.models)])
        return [from_document(Model(), document) for document in documents]
