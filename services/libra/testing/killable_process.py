"""A process that can be killed between any two of its calls, frozen, and thawed.

    process = Mortal("judge 1", calls=40)
    store = MemoryStore(server, transport=process)
    process.start(work(store))

What a process does between two calls to the outside leaves no trace there. So whoever dies at a call, before it took effect
or after, may as well have died anywhere. All tasks that a process begins, however deep, end with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

ROUNDS = 1_000
"""A task that is cancelled so often and still goes on does so for ever."""

_current: ContextVar[KillableProcess | None] = ContextVar("mortal", default=None)


class KillableProcess:
    """One process. It is the way that its calls take out: `libra.testing.memory.transport.Way`."""

    def __init__(self, name: str, *, calls: int | None = None) -> None:
        """It dies before or after one of its `calls`, each of which counts twice; None for one that does not by itself."""
        self.name = name
        self.dead = False
        self.died = asyncio.Event()
        self._calls_left = calls
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._awake = asyncio.Event()
        self._awake.set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a piece of work inside the process."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(_begin)
        context = copy_context()
        context.run(_current.set, self)
        return loop.create_task(work, context=context)

    async def __call__(self, exchange: Callable[[], Awaitable[T]]) -> T:
        """Have one exchange with the outside; the process may end before it or after it."""
        await self._pass()
        try:
            return await exchange()
        finally:
            await self._pass()

    def kill(self) -> None:
        """End it now: nothing it does from here on reaches the outside."""
        self.dead = True
        self.died.set()
        self._awake.set()
        for task in list(self._tasks):
            task.cancel()

    async def gone(self) -> None:
        """Return when no task of the dead process is left."""
        for _ in range(ROUNDS):
            if not self._tasks:
                return
            self.kill()
            await asyncio.sleep(0)
        raise AssertionError(f"{self.name} is dead, but goes on with {list(self._tasks)}")

    def freeze(self) -> None:
        """Stop it where it is: what it has sent arrives, and it hears of nothing."""
        self._awake.clear()

    def thaw(self) -> None:
        """Let it go on as if no time had passed."""
        self._awake.set()

    def take_in(self, task: asyncio.Task[Any]) -> None:
        """Have a task end with the process."""
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _pass(self) -> None:
        if self._calls_left is not None and not self.dead:
            self._calls_left -= 1
            if self._calls_left <= 0:
                self.kill()
        if self.dead:
            raise asyncio.CancelledError
        await self._awake.wait()


def _begin(loop: asyncio.AbstractEventLoop, work: Any, *, context: Context | None = None) -> asyncio.Task[Any]:
    """Make a task, and take it in where it belongs."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    process = context.get(_current) if context else _current.get()
    if process is not None:
        process.take_in(task)
    return task
