"""The registry of models, as this replica knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from libra.errors import NotFound
from libra.v1.model_pb2 import Model


class ModelCache:
    """Models by name. What it knows may be a few seconds old; what it does not know is looked up."""

    def __init__(self, models: Callable[[], Awaitable[Sequence[Model]]], seconds: float) -> None:
        self._models = models
        self._seconds = seconds
        self._by_name: dict[str, Model] = {}
        self._read_at = -seconds

    async def list(self) -> list[Model]:
        """Return every model, in order of name, as it is now; raise Unavailable."""
        models = await self._models()
        self._by_name = {model.name: model for model in models}
        self._read_at = asyncio.get_running_loop().time()
        return list(models)

    async def find(self, name: str) -> Model | None:
        """Return a model, None if there is none of this name; raise Unavailable."""
        now = asyncio.get_running_loop().time()
        if name not in self._by_name or now - self._read_at >= self._seconds:
            await self.list()
        return self._by_name.get(name)

    async def get(self, name: str, *, field: str) -> Model:
        """Return a model; NotFound names the nearest names."""
        model = await self.find(name)
        if model is None:
            raise NotFound.named("model", name, list(self._by_name), field=field)
        return model
