from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from libra.core.errors import Unavailable
from libra.store.commit.group_commit import GroupCommit


class FakeCommit:
    """Commits numbers once `open` is set; a group with a negative number raises ValueError."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = asyncio.Event()
        self.down = False

    async def __call__(self, group: Sequence[int]) -> list[int]:
        self.groups.append(list(group))
        await self.open.wait()
        if self.down:
            raise Unavailable("the store is down")
        if min(group) < 0:
            raise ValueError("negative")
        return [10 * number for number in group]


@pytest.fixture
def fake_commit() -> FakeCommit:
    return FakeCommit()


@pytest.fixture
def group(fake_commit: FakeCommit) -> GroupCommit[int, int]:
    return GroupCommit(fake_commit, weight=abs, limit=10)


async def submit(group: GroupCommit[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(group.submit(number)) for number in numbers]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_callers_that_arrive_during_a_commit_share_the_next_one(
    fake_commit: FakeCommit, group: GroupCommit[int, int]
) -> None:
    tasks = [*await submit(group, 1), *await submit(group, 2, 3, 4)]
    fake_commit.open.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30, 40]
    assert fake_commit.groups == [[1], [2, 3, 4]]


async def test_a_group_weighs_at_most_the_limit_unless_it_is_one_item(
    fake_commit: FakeCommit, group: GroupCommit[int, int]
) -> None:
    tasks = [*await submit(group, 1), *await submit(group, 6, 4, 50, 3)]
    fake_commit.open.set()
    await asyncio.gather(*tasks)
    assert fake_commit.groups == [[1], [6, 4], [50], [3]]


async def test_an_outage_fails_one_group_and_not_the_next(
    fake_commit: FakeCommit, group: GroupCommit[int, int]
) -> None:
    fake_commit.down = True
    fake_commit.open.set()
    with pytest.raises(Unavailable):
        await group.submit(1)
    fake_commit.down = False
    assert await group.submit(2) == 20


async def test_one_bad_item_does_not_fail_the_other_items_of_its_group(
    fake_commit: FakeCommit, group: GroupCommit[int, int]
) -> None:
    tasks = [*await submit(group, 1), *await submit(group, 2, -1, 3)]
    fake_commit.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[:2] == [10, 20]
    assert isinstance(results[2], ValueError)
    assert results[3] == 30


async def test_a_cancelled_caller_does_not_affect_the_others(
    fake_commit: FakeCommit, group: GroupCommit[int, int]
) -> None:
    first, *rest = [*await submit(group, 1), *await submit(group, 2, 3)]
    first.cancel()
    rest[0].cancel()
    await asyncio.sleep(0)
    fake_commit.open.set()
    assert await rest[1] == 30
    assert fake_commit.groups == [[1], [3]]


async def test_closing_raises_unavailable_in_every_waiting_caller(
    fake_commit: FakeCommit, group: GroupCommit[int, int]
) -> None:
    tasks = [*await submit(group, 1), *await submit(group, 2)]
    await group.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
