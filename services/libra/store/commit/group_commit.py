"""Many callers, one commit at a time: whoever comes while a commit is under way shares the next one.

A document that every writer touches decides the speed of them all, and a journalled majority write costs the same for one
verdict as for five hundred. So a process never has two commits of a kind under way at once, and none waits to be filled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from libra.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Waiter(Generic[Item, Result]):
    item: Item
    future: asyncio.Future[Result]


class GroupCommit(Generic[Item, Result]):
    """Collects what waits and commits it in groups, in order of arrival.

    `commit` takes a group and returns one result for each item, in order. `weight` says how much an item counts towards
    `limit`; an item heavier than the limit is a group of its own.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        weight: Callable[[Item], int],
        limit: int,
    ) -> None:
        self._commit = commit
        self._weight = weight
        self._limit = limit
        self._waiting: deque[_Waiter[Item, Result]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def submit(self, item: Item) -> Result:
        """Return the item's own result once the group it travelled in is committed; raise what the commit raised.

        A caller that is cancelled gives up its place or its result; the others do not notice.
        """
        # Kept, since to ask for the running loop is a call of the system (the process is asked for its id).
        loop = self._loop = self._loop or asyncio.get_running_loop()
        waiter: _Waiter[Item, Result] = _Waiter(item, loop.create_future())
        self._waiting.append(waiter)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="group commit")
        return await waiter.future

    async def close(self) -> None:
        """End the commit under way, whose outcome is then unknown, and fail everyone who waits."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while group := self._take():
                await self._settle(group)
        finally:
            _fail(self._waiting, Unavailable("the store was closed before this was written; send it again"))
            self._waiting.clear()

    def _take(self) -> list[_Waiter[Item, Result]]:
        """Return the next group: those who still wait, up to the limit."""
        group: list[_Waiter[Item, Result]] = []
        weight = 0
        while self._waiting:
            waiter = self._waiting[0]
            weight += self._weight(waiter.item)
            if group and weight > self._limit:
                break
            self._waiting.popleft()
            if waiter.future.done():
                weight -= self._weight(waiter.item)
            else:
                group.append(waiter)
        return group

    async def _settle(self, group: Sequence[_Waiter[Item, Result]]) -> None:
        try:
            results = await self._commit([waiter.item for waiter in group])
        except asyncio.CancelledError:
            _fail(group, Unavailable("the store was closed while this was being written; send it again"))
            raise
        except Unavailable as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001 - it is handed to whoever waits for this very item
            await self._settle_apart(group, error)
        else:
            for waiter, result in zip(group, results, strict=True):
                if not waiter.future.done():
                    waiter.future.set_result(result)

    async def _settle_apart(self, group: Sequence[_Waiter[Item, Result]], error: Exception) -> None:
        """Commit one by one what failed together, so that one bad item does not cost its neighbours."""
        if len(group) == 1:
            _fail(group, error)
            return
        for waiter in group:
            await self._settle([waiter])


def _fail(waiters: Iterable[_Waiter[Item, Result]], error: Exception) -> None:
    for waiter in waiters:
        if not waiter.future.done():
            waiter.future.set_exception(error)
