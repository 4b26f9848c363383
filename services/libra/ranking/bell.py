"""Wake whoever watches the board when it may have changed."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """Rings for all who wait at the time, as often as it is rung."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake everyone who waits."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, most_seconds: float) -> None:
        """Return when the bell rings, or after `most_seconds`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), most_seconds)
