"""Wait with a time limit or until an event, without losing a cancellation.

`asyncio.wait_for` is banned (pyproject.toml): before Python 3.12 it drops a cancellation that comes together with the
result, and the cancelled task goes on. `asyncio.timeout` does not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable


async def wait_until_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most `seconds`; return whether it is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


async def run_until_set(event: asyncio.Event, *works: Awaitable[None]) -> bool:
    """Run the works concurrently until the event is set or the first of them ends; the others are cancelled.

    Return whether a work ended first. Raises what it raised.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    waiting = asyncio.create_task(event.wait())
    try:
        done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task in done:
                await task
        return waiting not in done
    finally:
        waiting.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(waiting, *tasks, return_exceptions=True)
