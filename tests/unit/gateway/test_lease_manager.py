"""What is told to end does end, also where a cancel is lost on the way."""

from __future__ import annotations

import asyncio
import contextlib

from libra.gateway.quota.lease_manager import end


async def deaf(cancels: int) -> None:
    """Go on through so many cancels."""
    for _ in range(cancels):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
    await asyncio.sleep(60)


async def test_a_cancel_that_is_lost_is_given_again() -> None:
    tasks = [asyncio.create_task(deaf(cancels)) for cancels in (0, 1, 2)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_nothing_to_end_is_nothing_to_wait_for() -> None:
    await end([])
