from __future__ import annotations

import pytest

from libra.store.client import Store
from libra.v1.ranking_pb2 import Capability


def figure(model: str, published: float, value: float) -> Capability:
    return Capability(
        model=model, published=published, value=value, scale="elo", zero=800, one=1500, source="scores.csv"
    )


async def test_figures_come_back_by_model_with_the_time_of_their_import(store: Store) -> None:
    kept = await store.capabilities.upsert([figure("b", 1150, 0.5), figure("a.2", 800, 0.0)])
    assert [each.model for each in kept] == ["b", "a.2"]
    assert all(each.HasField("create_time") for each in kept)
    assert not kept[0].HasField("standard_error")
    assert await store.capabilities.list() == [kept[1], kept[0]]


async def test_a_newer_figure_takes_the_place_of_the_older_whole(store: Store) -> None:
    old = figure("a", 1150, 0.5)
    old.standard_error = 0.01
    [first] = await store.capabilities.upsert([old])
    assert first.standard_error == 0.01
    [second] = await store.capabilities.upsert([figure("a", 1500, 1.0)])
    assert await store.capabilities.list() == [second]
    assert second.value == 1.0
    assert not second.HasField("standard_error")


async def test_a_list_with_a_model_twice_leaves_everything_as_it_was(store: Store) -> None:
    before = await store.capabilities.upsert([figure("a", 1150, 0.5)])
    with pytest.raises(ValueError, match="two of the figures are of one model"):
        await store.capabilities.upsert([figure("a", 1, 0), figure("b", 1, 0), figure("b", 2, 0)])
    assert await store.capabilities.list() == before


async def test_ten_thousand_figures_are_kept_at_once(store: Store) -> None:
    await store.capabilities.upsert([figure(f"model-{n:05d}", 800 + n, n / 10_000) for n in range(10_000)])
    assert len(await store.capabilities.list()) == 10_000


async def test_none_is_no_fault(store: Store) -> None:
    assert await store.capabilities.upsert([]) == []
    assert await store.capabilities.list() == []
