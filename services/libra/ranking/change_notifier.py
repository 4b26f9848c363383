"""Wakes the watchers of the board when it may have changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from libra.core.timeouts import run_until_set, wait_until_set


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
        await wait_until_set(self._event, max_seconds)

    async def listen(self, signals: AsyncIterator[tuple[str, bytes]], stop: asyncio.Event) -> None:
        """Notify at each signal until `stop` is set."""
        await run_until_set(stop, self._notify_at_each(signals))

    async def _notify_at_each(self, signals: AsyncIterator[tuple[str, bytes]]) -> None:
        async for _ in signals:
            self.notify()
