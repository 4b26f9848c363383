from __future__ import annotations

import pytest

from libra.errors import Conflict
from libra.store.client import Store
from libra.v1.model_pb2 import Model, ModelLimits, Provider

MODEL = Model(
    name="gpt-4.1-mini",
    provider=Provider.PROVIDER_OPENAI,
    base_url="https://models.example/v1",
    api_key_env="KEY",
    limits=ModelLimits(max_in_flight=8),
)


async def test_a_model_comes_back_with_the_time_of_its_registration(store: Store) -> None:
    kept = await store.models.add(MODEL)
    assert kept.HasField("create_time")
    assert await store.models.get("gpt-4.1-mini") == kept
    assert await store.models.get("gpt-4") is None


async def test_the_same_again_changes_nothing_and_another_content_is_a_conflict(store: Store) -> None:
    kept = await store.models.add(MODEL)
    assert await store.models.add(MODEL) == kept
    assert await store.models.add(kept) == kept
    other = Model(name=MODEL.name, base_url="https://elsewhere.example/v1")
    with pytest.raises(Conflict, match="another content"):
        await store.models.add(other)
    assert await store.models.list() == [kept]


async def test_a_forgotten_model_is_gone_and_its_name_is_free(store: Store) -> None:
    await store.models.add(MODEL)
    assert await store.models.delete(MODEL.name)
    assert not await store.models.delete(MODEL.name)
    assert await store.models.get(MODEL.name) is None
    await store.models.add(Model(name=MODEL.name))


async def test_models_are_listed_by_name(store: Store) -> None:
    for name in ("b", "a.2", "a-1"):
        await store.models.add(Model(name=name))
    assert [model.name for model in await store.models.list()] == ["a-1", "a.2", "b"]
