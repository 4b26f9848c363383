"""Wait with a time limit, and never lose a cancellation.

`asyncio.wait_for` is banned (pyproject.toml): before Python 3.12 it drops a cancellation that comes together with the result, and
the cancelled task works on. `asyncio.timeout` does not.
"""

from __future__ import annotations

import asyncio
import contextlib


async def wait_until_set(event: asyncio.Event, seconds: float) -> bool:
    """Return as soon as the event is set, or after so many seconds; tell whether it is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
