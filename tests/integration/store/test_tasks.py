from __future__ import annotations

import asyncio

import pytest

from libra.core.errors import NotFound
from libra.store import indexes
from libra.store.client import Store
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import Category, Sample, Task

RISKY = Category.CATEGORY_DIRECT_RISKY


def task(name: str, version: str = "0123456789ab", *, samples: int = 3, category: Category.ValueType = RISKY) -> Task:
    return Task(name=name, version=version, sample_count=samples, category=category, languages=["en", "de-CH"])


def samples(count: int) -> list[Sample]:
    return [
        Sample(ordinal=n, id=f"#{n}", messages=[Message(role="user", content=f"Is {n} odd?")], fields={"a.b": str(n)})
        for n in range(count)
    ]


async def add_versions(store: Store, *refs: str) -> None:
    for ref in refs:
        name, _, version = ref.partition("@")
        assert await store.tasks.add(task(name, version), samples(3))
        await asyncio.sleep(0.002)  # a version's create_time is stored to the millisecond


async def test_an_import_is_stored_whole_and_a_repeat_changes_nothing(store: Store) -> None:
    assert await store.tasks.add(task("odd", samples=2500), samples(2500))
    stored = await store.tasks.get("odd")
    assert stored
    assert stored.HasField("create_time")
    assert not await store.tasks.add(task("odd", samples=2500), samples(2500))
    assert await store.tasks.get("odd@0123456789ab") == stored
    assert await store.tasks.list_samples("odd", first=1498, limit=3) == samples(2500)[1498:1501]
    assert await store.tasks.list_samples("odd", first=2499, limit=3) == samples(2500)[2499:]
    assert await store.tasks.list_samples("odd", first=2500, limit=3) == []


async def test_a_card_with_a_wrong_number_of_samples_is_rejected(store: Store) -> None:
    with pytest.raises(ValueError, match="says 3 samples, but there are 2"):
        await store.tasks.add(task("odd"), samples(2))


async def test_an_interrupted_import_is_completed_by_the_next(store: Store, database: str) -> None:
    """A crash between the two writes leaves the samples without the card."""
    await store.tasks.add(task("odd"), samples(3))
    await store._database[indexes.TASKS].delete_one({"_id": "odd@0123456789ab"})
    assert await store.tasks.get("odd") is None
    with pytest.raises(NotFound):
        await store.tasks.list_samples("odd", limit=3)
    assert await store.tasks.add(task("odd"), samples(3))
    assert await store.tasks.list_samples("odd", limit=9) == samples(3)


async def test_concurrent_imports_store_one_version(store: Store) -> None:
    created = await asyncio.gather(*(store.tasks.add(task("odd"), samples(3)) for _ in range(4)))
    assert sum(created) == 1
    assert await store.tasks.list_samples("odd", limit=9) == samples(3)


async def test_a_name_without_a_version_selects_the_newest_version(store: Store) -> None:
    await add_versions(store, "odd@bb", "odd@aa")
    newest = await store.tasks.get("odd")
    assert newest
    assert newest.version == "aa"
    assert await store.tasks.get("odd@cc") is None
    assert await store.tasks.get("even") is None


async def test_import_times_are_returned_by_version(store: Store) -> None:
    await add_versions(store, "odd@bb", "odd@aa")
    times = await store.tasks.get_import_times(["odd@aa", "odd@bb", "odd@cc"])
    assert set(times) == {"odd@aa", "odd@bb"}
    assert times["odd@bb"] < times["odd@aa"]


async def test_samples_are_returned_in_the_order_of_the_requested_ordinals(store: Store) -> None:
    await store.tasks.add(task("odd", samples=9), samples(9))
    ref = "odd@0123456789ab"
    assert [s.ordinal for s in await store.tasks.get_samples(ref, [7, 0, 7, 3])] == [7, 0, 7, 3]
    with pytest.raises(NotFound, match="has no sample 9, 12"):
        await store.tasks.get_samples(ref, [1, 9, 12])


async def test_an_unknown_task_raises_an_error_that_names_the_nearest(store: Store) -> None:
    await add_versions(store, "harmful@aa", "harmless@aa")
    with pytest.raises(NotFound, match="did you mean harmful"):
        await store.tasks.list_samples("harmfull", limit=1)
    assert await store.tasks.list_names() == ["harmful", "harmless"]


async def test_a_task_whose_name_is_a_prefix_of_another_has_its_own_samples(store: Store) -> None:
    await store.tasks.add(task("odd", "aa"), samples(3))
    await store.tasks.add(task("odd.2", "aa", samples=1), samples(1))
    assert len(await store.tasks.list_samples("odd", limit=9)) == 3
    assert len(await store.tasks.list_samples("odd.2", limit=9)) == 1


async def test_the_newest_versions_are_listed_by_name_page_by_page(store: Store) -> None:
    await add_versions(store, "b@2", "a@1", "b@1", "c.x@1", "a@2")
    assert [_ref(one) for one in await store.tasks.list(limit=9)] == ["a@2", "b@1", "c.x@1"]
    assert [_ref(one) for one in await store.tasks.list(after="a@2", limit=1)] == ["b@1"]


async def test_all_versions_are_listed_the_newest_first_page_by_page(store: Store) -> None:
    await add_versions(store, "b@2", "a@1", "b@1", "b@3")
    listed: list[str] = []
    while page := await store.tasks.list(after=listed[-1] if listed else "", limit=1, all_versions=True):
        listed.append(_ref(page[0]))
    assert listed == ["a@1", "b@3", "b@1", "b@2"]


async def test_a_category_filters_the_list(store: Store) -> None:
    await store.tasks.add(task("odd", category=Category.CATEGORY_CAPABILITY), samples(3))
    await store.tasks.add(task("risky", category=Category.CATEGORY_DIRECT_RISKY), samples(3))
    for all_versions in (False, True):
        found = await store.tasks.list(limit=9, category=Category.CATEGORY_CAPABILITY, all_versions=all_versions)
        assert [one.name for one in found] == ["odd"]


def _ref(one: Task) -> str:
    return f"{one.name}@{one.version}"


async def test_one_field_of_several_samples_is_returned(store: Store) -> None:
    fields = [{"a.b": "x", "$set": "1"}, {}, {"c": "y"}, {"a.b": "", "c": "z"}, {"a.b": "w"}]
    several = [Sample(ordinal=n, fields=each) for n, each in enumerate(fields)]
    await store.tasks.add(task("odd", samples=5), several)
    ref = "odd@0123456789ab"
    assert await store.tasks.get_field_values(ref, [0, 1, 2, 3, 7], "a.b") == {0: "x", 3: ""}
    assert await store.tasks.get_field_values(ref, range(5), "$set") == {0: "1"}
    assert await store.tasks.get_field_values(ref, range(5), "nothing") == {}
    assert await store.tasks.get_field_values("even@0123456789ab", range(5), "c") == {}
