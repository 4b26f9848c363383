"""Lets many callers share one read of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Coalescer(Generic[Result]):
    """Runs a function for many callers: those that call while it runs share its next run.

    So no caller gets the result of a run that began before the call, and of any number of callers at most two runs are
    made.
    """

    def __init__(self, function: Callable[[], Awaitable[Result]]) -> None:
        self._function = function
        self._running: asyncio.Task[Result] | None = None
        self._next: asyncio.Task[Result] | None = None

    async def call(self) -> Result:
        """Return the result of a run that begins now or later; raise its error."""
        if self._next is None:
            self._next = asyncio.create_task(self._run_after(self._running))
            self._next.add_done_callback(_retrieve_error)
        # One caller that gives up must not end the run of the others.
        return await asyncio.shield(self._next)

    async def _run_after(self, earlier: asyncio.Task[Result] | None) -> Result:
        if earlier is not None and not earlier.done():
            await asyncio.wait({earlier})
        self._running, self._next = self._next, None
        return await self._function()


def _retrieve_error(task: asyncio.Task[Result]) -> None:
    """Mark the error as seen: every caller may have given up."""
    if not task.cancelled():
        task.exception()
