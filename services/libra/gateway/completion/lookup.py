"""One batched read of the store for all requests of a batch, repeated while they wait for their permits.

Two replicas may hold the same batch, because one was frozen or the queue forgot the delivery. The other replica may
then store an answer while its request waits here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from libra.v1.completion_pb2 import Completion

MAX_AGE_SECONDS = 3.0
"""An older read is repeated before a request is sent. A batch whose answers take about a second has sent all its
requests by then, so none of its permits waits for a read. For requests that wait longer, one read in three seconds for
64 of them costs little."""


class Lookup:
    """Collects the keys of a batch, and reads all their completions when the first one is needed."""

    def __init__(self, find: Callable[[Sequence[str]], Awaitable[dict[str, Completion]]]) -> None:
        self._find = find
        self._keys: list[str] = []
        self._task: asyncio.Task[dict[str, Completion]] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._read_at = 0.0
        self._loop = asyncio.get_running_loop()

    def for_key(self, key: str) -> Lookup:
        """Return a lookup of one key that has not been read yet."""
        lookup = Lookup(self._find)
        lookup.add(key)
        return lookup

    def add(self, key: str) -> None:
        """Include a key in the next read."""
        self._keys.append(key)

    async def find(self, key: str) -> Completion | None:
        """Return the completion if the store has it. Raises Unavailable."""
        task = self._task or self._read()
        if not task.done():
            # Wait for the task's end, not for the task: a cancelled caller must not cancel the read for the others.
            end = self._loop.create_future()
            self._waiting.append(end)
            await end
        return task.result().get(key)

    async def find_again(self, key: str) -> Completion | None:
        """Return the completion if the store had it at most three seconds ago. Raises Unavailable."""
        task = self._task
        if task is not None and not task.done():
            return await self.find(key)
        if task is None or self._loop.time() - self._read_at > MAX_AGE_SECONDS:
            self._read()
            return await self.find(key)
        return task.result().get(key)

    def _read(self) -> asyncio.Task[dict[str, Completion]]:
        self._read_at = self._loop.time()
        self._task = self._loop.create_task(self._find_all())
        self._task.add_done_callback(self._wake)
        return self._task

    def _wake(self, task: asyncio.Task[dict[str, Completion]]) -> None:
        if not task.cancelled():
            task.exception()  # marks the error as retrieved; callers that wait get it from the task
        waiting, self._waiting = self._waiting, []
        for end in waiting:
            if not end.done():
                end.set_result(None)

    async def _find_all(self) -> dict[str, Completion]:
        return await self._find(self._keys)
