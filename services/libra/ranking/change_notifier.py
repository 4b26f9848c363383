"""Wake whoever watches the board when it may have changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from libra.timeouts import wait_until_set


class ChangeNotifier:
    """Rings for all who wait at the time, as often as it is rung."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake everyone who waits."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, most_seconds: float) -> None:
        """Return when the bell rings, or after `most_seconds`."""
        await wait_until_set(self._rung, most_seconds)

    async def listen(self, signals: AsyncIterator[tuple[str, bytes]], stop: asyncio.Event) -> None:
        """Ring at each signal until `stop` is set."""
        ringing = asyncio.create_task(self._ring_at(signals))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({ringing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if ringing.done():
                ringing.result()
        finally:
            for task in (ringing, stopping):
                task.cancel()
            await asyncio.gather(ringing, stopping, return_exceptions=True)

    async def _ring_at(self, signals: AsyncIterator[tuple[str, bytes]]) -> None:
        async for _ in signals:
            self.ring()
