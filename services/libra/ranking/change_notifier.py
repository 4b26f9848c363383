"""Wakes the watchers of the board when it may have changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class ChangeNotifier:
    """Wakes every waiting task at each notification. A notification without waiting tasks has no effect."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake every waiting task."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, max_seconds: float) -> None:
        """Return at the next notification, or after `max_seconds`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), max_seconds)

    async def listen(self, signals: AsyncIterator[tuple[str, bytes]], stop: asyncio.Event) -> None:
        """Notify at each signal until `stop` is set."""
        notifying = asyncio.create_task(self._notify_at_each(signals))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({notifying, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if notifying.done():
                notifying.result()
        finally:
            for task in (notifying, stopping):
                task.cancel()
            await asyncio.gather(notifying, stopping, return_exceptions=True)

    async def _notify_at_each(self, signals: AsyncIterator[tuple[str, bytes]]) -> None:
        async for _ in signals:
            self.notify()
