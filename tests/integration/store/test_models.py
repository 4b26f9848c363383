from __future__ import annotations

import pytest

from libra.core.errors import Conflict
from libra.store.client import Store
from libra.v1.model_pb2 import Model, ModelLimits, Provider

MODEL = Model(
    name="gpt-4.1-mini",
    provider=Provider.PROVIDER_OPENAI,
    base_url="https://models.example/v1",
    api_key_env="KEY",
    limits=ModelLimits(max_in_flight=8),
)


async def test_a_model_is_returned_with_its_create_time(store: Store) -> None:
    stored = await store.models.add(MODEL)
    assert stored.HasField("create_time")
    assert await store.models.get("gpt-4.1-mini") == stored
    assert await store.models.get("gpt-4") is None


async def test_the_same_content_again_changes_nothing_and_another_content_is_a_conflict(store: Store) -> None:
    stored = await store.models.add(MODEL)
    assert await store.models.add(MODEL) == stored
    assert await store.models.add(stored) == stored
    other = Model(name=MODEL.name, base_url="https://elsewhere.example/v1")
    with pytest.raises(Conflict, match="another content"):
        await store.models.add(other)
    assert await store.models.list() == [stored]


async def test_a_deleted_model_frees_its_name(store: Store) -> None:
    await store.models.add(MODEL)
    assert await store.models.delete(MODEL.name)
    assert not await store.models.delete(MODEL.name)
    assert await store.models.get(MODEL.name) is None
    await store.models.add(Model(name=MODEL.name))


async def test_models_are_listed_by_name(store: Store) -> None:
    for name in ("b", "a.2", "a-1"):
        await store.models.add(Model(name=name))
    assert [model.name for model in await store.models.list()] == ["a-1", "a.2", "b"]
