"""A cache of the registered models, of which each task sees those that its team does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from libra.core.access import team_scope
from libra.core.errors import NotFound
from libra.v1.model_pb2 import Model


class ModelCache:
    """Models by name. A cached model may be `seconds` old; a name that is not cached is looked up in the store."""

    def __init__(self, read_models: Callable[[], Awaitable[Sequence[Model]]], seconds: float) -> None:
        self._read_models = read_models
        self._seconds = seconds
        self._by_name: dict[str, Model] = {}
        self._read_at = -seconds

    async def list(self) -> list[Model]:
        """Return every model that this task sees, from the store, in order of name. Raises Unavailable."""
        with team_scope.acting_for(None):  # the cache serves all teams
            models = await self._read_models()
        self._by_name = {model.name: model for model in models}
        self._read_at = asyncio.get_running_loop().time()
        return list(filter(is_visible, models))

    async def find(self, name: str) -> Model | None:
        """Return a model, or None if no model has this name. Raises Unavailable."""
        now = asyncio.get_running_loop().time()
        if name not in self._by_name or now - self._read_at >= self._seconds:
            await self.list()
        model = self._by_name.get(name)
        return model if model is not None and is_visible(model) else None

    async def get(self, name: str, *, field: str) -> Model:
        """Return a model. Raises NotFound with the nearest names, or Unavailable."""
        model = await self.find(name)
        if model is None:
            names = [known.name for known in self._by_name.values() if is_visible(known)]
            raise NotFound.named("model", name, names, field=field)
        return model


def is_visible(model: Model) -> bool:
    """Return whether this task sees a model."""
    return team_scope.can_see(model.team)
