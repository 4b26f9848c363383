"""A simulated process that can be killed between any two of its calls, suspended and resumed.

    process = KillableProcess("judge 1", calls=40)
    store = MemoryStore(server, transport=process)
    process.start(work(store))

The work of a process between two calls to the outside has no effect there. So a kill at a call, before or after its
effect, stands for a kill anywhere. All tasks that the process starts, directly or indirectly, are killed with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

MAX_CANCELLATIONS = 1_000
"""A task that survives this many cancellations will never end."""

_current: ContextVar[KillableProcess | None] = ContextVar("process", default=None)


class KillableProcess:
    """One process. It is the transport of its calls: `libra.testing.memory.transport.Transport`."""

    def __init__(self, name: str, *, calls: int | None = None) -> None:
        """It dies at number `calls`, where each call counts twice (before and after its effect); never if None."""
        self.name = name
        self.dead = False
        self.died = asyncio.Event()
        self._calls_left = calls
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._awake = asyncio.Event()
        self._awake.set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task inside the process."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(_create_task)
        context = copy_context()
        context.run(_current.set, self)
        return loop.create_task(work, context=context)

    async def __call__(self, exchange: Callable[[], Awaitable[T]]) -> T:
        """Make one call to the outside; the process may die before or after it."""
        await self._pass()
        try:
            return await exchange()
        finally:
            await self._pass()

    def kill(self) -> None:
        """Kill the process now: nothing it does from now on reaches the outside."""
        self.dead = True
        self.died.set()
        self._awake.set()
        for task in list(self._tasks):
            task.cancel()

    async def wait_until_gone(self) -> None:
        """Return when no task of the dead process is left."""
        for _ in range(MAX_CANCELLATIONS):
            if not self._tasks:
                return
            self.kill()
            await asyncio.sleep(0)
        raise AssertionError(f"{self.name} is dead, but its tasks go on: {list(self._tasks)}")

    def suspend(self) -> None:
        """Suspend the process: calls it has made take effect, but it sees no result."""
        self._awake.clear()

    def resume(self) -> None:
        """Resume the process."""
        self._awake.set()

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Make a task part of the process."""
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


def _create_task(loop: asyncio.AbstractEventLoop, work: Any, *, context: Context | None = None) -> asyncio.Task[Any]:
    """Create a task as part of the current process, if there is one."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    process = context.get(_current) if context else _current.get()
    if process is not None:
        process.adopt(task)
    return task
