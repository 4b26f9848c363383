"""Run workers in the background of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def running(*workers: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the workers as tasks inside the `with` block, and cancel them at its end."""
    tasks = [asyncio.create_task(worker) for worker in workers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
