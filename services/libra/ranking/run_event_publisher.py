"""Publishes which runs have new verdicts, at a limited rate instead of with every batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from libra.bus import streams
from libra.core.timeouts import wait_until_set

Signal = Callable[[str, bytes], Awaitable[None]]


class RunEventPublisher:
    """Collects the runs that have changed, and signals each at most once in an interval. Nothing is stored."""

    def __init__(self, signal: Signal, interval_seconds: float) -> None:
        self._signal, self._interval_seconds = signal, interval_seconds
        self._changed_runs: set[str] = set()
        self._has_changes = asyncio.Event()

    def mark_changed(self, run: str) -> None:
        """Note that a run has new verdicts."""
        self._changed_runs.add(run)
        self._has_changes.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish signals until `stop` is set, and the remaining ones then."""
        waking = asyncio.create_task(self._wake_at(stop))
        try:
            while not stop.is_set():
                await self._has_changes.wait()
                await self._publish()
                await wait_until_set(stop, self._interval_seconds)
            await self._publish()
        finally:
            waking.cancel()

    async def _publish(self) -> None:
        runs, self._changed_runs = self._changed_runs, set()
        self._has_changes.clear()
        for run in sorted(runs):
            await self._signal(streams.event_run(run), b"")

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._has_changes.set()
