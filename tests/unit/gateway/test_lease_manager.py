"""Tasks that are cancelled do end, even if a cancellation is lost on the way."""

from __future__ import annotations

import asyncio
import contextlib

from libra.gateway.quota.lease_manager import cancel_all


async def ignore_cancels(number: int) -> None:
    """Ignore the first `number` cancellations."""
    for _ in range(number):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
    await asyncio.sleep(60)


async def test_a_lost_cancellation_is_repeated() -> None:
    tasks = [asyncio.create_task(ignore_cancels(number)) for number in (0, 1, 2)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await cancel_all(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_without_tasks_there_is_no_wait() -> None:
    await cancel_all([])
