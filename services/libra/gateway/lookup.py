"""One look into the store for all the questions of a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from libra.v1.completion_pb2 import Completion


class Lookup:
    """Collects names while a batch is laid out, and finds them all at once when the first is asked for."""

    def __init__(self, find: Callable[[Sequence[str]], Awaitable[dict[str, Completion]]]) -> None:
        self._find = find
        self._names: list[str] = []
        self._task: asyncio.Task[dict[str, Completion]] | None = None
        self._ended = asyncio.Event()

    def want(self, name: str) -> None:
        """Have `name` looked for too."""
        self._names.append(name)

    async def find(self, name: str) -> Completion | None:
        """Return the completion called `name`, if there is one; raise Unavailable."""
        if self._task is None:
            self._task = asyncio.create_task(self._found())
            self._task.add_done_callback(lambda _: self._ended.set())
        # Not the task is awaited but its end: one who leaves must not take the look from the others.
        await self._ended.wait()
        return self._task.result().get(name)

    async def _found(self) -> dict[str, Completion]:
        return await self._find(self._names)
