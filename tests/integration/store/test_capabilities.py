from __future__ import annotations

import pytest

from libra.store.client import Store
from libra.v1.ranking_pb2 import Capability


def figure(model: str, published: float, value: float) -> Capability:
    return Capability(
        model=model, published=published, value=value, scale="elo", zero=800, one=1500, source="scores.csv"
    )


async def test_figures_are_listed_by_model_with_their_create_time(store: Store) -> None:
    stored = await store.capabilities.upsert([figure("b", 1150, 0.5), figure("a.2", 800, 0.0)])
    assert [each.model for each in stored] == ["b", "a.2"]
    assert all(each.HasField("create_time") for each in stored)
    assert not stored[0].HasField("standard_error")
    assert await store.capabilities.list() == [stored[1], stored[0]]


async def test_a_newer_figure_replaces_every_field_of_the_older(store: Store) -> None:
    old = figure("a", 1150, 0.5)
    old.standard_error = 0.01
    [first] = await store.capabilities.upsert([old])
    assert first.standard_error == 0.01
    [second] = await store.capabilities.upsert([figure("a", 1500, 1.0)])
    assert await store.capabilities.list() == [second]
    assert second.value == 1.0
    assert not second.HasField("standard_error")


async def test_a_list_with_a_model_twice_changes_nothing(store: Store) -> None:
    before = await store.capabilities.upsert([figure("a", 1150, 0.5)])
    with pytest.raises(ValueError, match="two of the figures belong to one model"):
        await store.capabilities.upsert([figure("a", 1, 0), figure("b", 1, 0), figure("b", 2, 0)])
    assert await store.capabilities.list() == before


async def test_ten_thousand_figures_are_stored_at_once(store: Store) -> None:
    await store.capabilities.upsert([figure(f"model-{n:05d}", 800 + n, n / 10_000) for n in range(10_000)])
    assert len(await store.capabilities.list()) == 10_000


async def test_an_empty_list_is_accepted(store: Store) -> None:
    assert await store.capabilities.upsert([]) == []
    assert await store.capabilities.list() == []
