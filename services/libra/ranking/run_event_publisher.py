"""Let it be known which runs have moved, but not with every batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from libra.bus import streams
from libra.timeouts import wait_until_set

Signal = Callable[[str, bytes], Awaitable[None]]


class RunEventPublisher:
    """Gathers runs that have moved and signals each once in a while. What it says is lost if nobody listens."""

    def __init__(self, signal: Signal, every_seconds: float) -> None:
        self._signal, self._every_seconds = signal, every_seconds
        self._runs: set[str] = set()
        self._news = asyncio.Event()

    def moved(self, run: str) -> None:
        """Note that a run has new verdicts."""
        self._runs.add(run)
        self._news.set()

    async def work(self, stop: asyncio.Event) -> None:
        """Signal until `stop` is set, and once more then."""
        waking = asyncio.create_task(self._wake_at(stop))
        try:
            while not stop.is_set():
                await self._news.wait()
                await self._speak()
                await wait_until_set(stop, self._every_seconds)
            await self._speak()
        finally:
            waking.cancel()

    async def _speak(self) -> None:
        runs, self._runs = self._runs, set()
        self._news.clear()
        for run in sorted(runs):
            await self._signal(streams.event_run(run), b"")

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._news.set()
