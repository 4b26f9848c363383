"""Group commit: callers that arrive during a commit share the next one.

A document that every writer changes limits the throughput of all, and a journalled majority write costs the same for
one verdict as for five hundred. Therefore a process never has two commits of a kind at the same time, and a commit
never waits for more items.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from libra.core.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Waiter(Generic[Item, Result]):
    item: Item
    future: asyncio.Future[Result]


class GroupCommit(Generic[Item, Result]):
    """Collects waiting items and commits them in groups, in order of arrival.

    `commit` takes a group and returns one result for each item, in order. `weight` returns how much an item counts
    towards `limit`; an item heavier than the limit is a group of its own.
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
        """Return the item's own result when its group is committed; raise the error of the commit.

        A cancelled caller loses its position or its result; the other callers are not affected.
        """
        # Stored, since asyncio.get_running_loop() makes a system call (it asks for the process id).
        loop = self._loop = self._loop or asyncio.get_running_loop()
        waiter: _Waiter[Item, Result] = _Waiter(item, loop.create_future())
        self._waiting.append(waiter)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="group commit")
        return await waiter.future

    async def close(self) -> None:
        """Cancel the running commit, whose outcome is then unknown, and raise Unavailable in every waiting caller."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while group := self._next_group():
                await self._commit_group(group)
        finally:
            _fail(self._waiting, Unavailable("the store was closed before this was written; send it again"))
            self._waiting.clear()

    def _next_group(self) -> list[_Waiter[Item, Result]]:
        """Remove and return the next group: the callers that still wait, up to the limit."""
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

    async def _commit_group(self, group: Sequence[_Waiter[Item, Result]]) -> None:
        try:
            results = await self._commit([waiter.item for waiter in group])
        except asyncio.CancelledError:
            _fail(group, Unavailable("the store was closed while this was being written; send it again"))
            raise
        except Unavailable as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001 - the error is raised in the caller that waits for the item
            await self._commit_one_by_one(group, error)
        else:
            for waiter, result in zip(group, results, strict=True):
                if not waiter.future.done():
                    waiter.future.set_result(result)

    async def _commit_one_by_one(self, group: Sequence[_Waiter[Item, Result]], error: Exception) -> None:
        """Commit each item of a failed group alone, so that one bad item does not fail the others."""
        if len(group) == 1:
            _fail(group, error)
            return
        for waiter in group:
            await self._commit_group([waiter])


def _fail(waiters: Iterable[_Waiter[Item, Result]], error: Exception) -> None:
    for waiter in waiters:
        if not waiter.future.done():
            waiter.future.set_exception(error)
