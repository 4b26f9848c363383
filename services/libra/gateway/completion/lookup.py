"""One look into the store for all the questions of a batch, and more of them while these wait to be asked.

A batch may be in the hands of two replicas: one stood still, or the queue forgot that it had given it out. Then what waits
here is meanwhile answered there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from libra.v1.completion_pb2 import Completion

OLD_SECONDS = 3.0
"""A look that is older is not trusted before a question is asked. Where an answer takes a second, what is in hand is asked
before that, and no permit waits for a look; where questions wait longer, a look every three seconds for 64 of them is little."""


class Lookup:
    """Collects names while a batch is laid out, and finds them all at once when the first is asked for."""

    def __init__(self, find: Callable[[Sequence[str]], Awaitable[dict[str, Completion]]]) -> None:
        self._find = find
        self._names: list[str] = []
        self._task: asyncio.Task[dict[str, Completion]] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._looked_seconds = 0.0
        self._loop = asyncio.get_running_loop()

    def want(self, name: str) -> None:
        """Have `name` looked for too."""
        self._names.append(name)

    async def find(self, name: str) -> Completion | None:
        """Return the completion called `name`, if there is one; raise Unavailable."""
        task = self._task or self._look()
        if not task.done():
            # Not the task is awaited but its end: one who leaves must not take the look from the others.
            end = self._loop.create_future()
            self._waiting.append(end)
            await end
        return task.result().get(name)

    async def again(self, name: str) -> Completion | None:
        """Return the completion called `name` if there is one by now, as of the last second; raise Unavailable."""
        looking = self._task is not None and not self._task.done()
        if not looking and self._loop.time() - self._looked_seconds > OLD_SECONDS:
            self._look()
        return await self.find(name)

    def _look(self) -> asyncio.Task[dict[str, Completion]]:
        self._looked_seconds = self._loop.time()
        self._task = self._loop.create_task(self._found())
        self._task.add_done_callback(self._tell)
        return self._task

    def _tell(self, task: asyncio.Task[dict[str, Completion]]) -> None:
        if not task.cancelled():
            task.exception()  # whoever waited has it; if all of them have left, it is no news
        waiting, self._waiting = self._waiting, []
        for end in waiting:
            if not end.done():
                end.set_result(None)

    async def _found(self) -> dict[str, Completion]:
        return await self._find(self._names)
