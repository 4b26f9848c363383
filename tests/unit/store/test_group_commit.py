from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from libra.errors import Unavailable
from libra.store.commit.group_commit import GroupCommit


class Ledger:
    """Commits numbers when it is let, and refuses odd company: a negative number is a bug."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = asyncio.Event()
        self.down = False

    async def __call__(self, group: Sequence[int]) -> list[int]:
        self.groups.append(list(group))
        await self.open.wait()
        if self.down:
            raise Unavailable("the ledger is down")
        if min(group) < 0:
            raise ValueError("negative")
        return [10 * number for number in group]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def group(ledger: Ledger) -> GroupCommit[int, int]:
    return GroupCommit(ledger, weight=abs, limit=10)


async def submit(group: GroupCommit[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(group.submit(number)) for number in numbers]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_whoever_comes_meanwhile_shares_the_next_commit(ledger: Ledger, group: GroupCommit[int, int]) -> None:
    tasks = [*await submit(group, 1), *await submit(group, 2, 3, 4)]
    ledger.open.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30, 40]
    assert ledger.groups == [[1], [2, 3, 4]]


async def test_a_group_weighs_no_more_than_the_limit_unless_it_is_one_item(
    ledger: Ledger, group: GroupCommit[int, int]
) -> None:
    tasks = [*await submit(group, 1), *await submit(group, 6, 4, 50, 3)]
    ledger.open.set()
    await asyncio.gather(*tasks)
    assert ledger.groups == [[1], [6, 4], [50], [3]]


async def test_an_outage_fails_the_group_and_not_those_after_it(ledger: Ledger, group: GroupCommit[int, int]) -> None:
    ledger.down = True
    ledger.open.set()
    with pytest.raises(Unavailable):
        await group.submit(1)
    ledger.down = False
    assert await group.submit(2) == 20


async def test_one_bad_item_does_not_cost_its_neighbours(ledger: Ledger, group: GroupCommit[int, int]) -> None:
    tasks = [*await submit(group, 1), *await submit(group, 2, -1, 3)]
    ledger.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[:2] == [10, 20]
    assert isinstance(results[2], ValueError)
    assert results[3] == 30


async def test_a_caller_that_gives_up_takes_nobody_along(ledger: Ledger, group: GroupCommit[int, int]) -> None:
    first, *rest = [*await submit(group, 1), *await submit(group, 2, 3)]
    first.cancel()
    rest[0].cancel()
    await asyncio.sleep(0)
    ledger.open.set()
    assert await rest[1] == 30
    assert ledger.groups == [[1], [3]]


async def test_closing_fails_those_who_wait(ledger: Ledger, group: GroupCommit[int, int]) -> None:
    tasks = [*await submit(group, 1), *await submit(group, 2)]
    await group.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
