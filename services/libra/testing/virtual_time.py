"""Virtual time: an event loop whose clock jumps to the next timer whenever no task is ready.

    def test_an_hour_of_outage() -> None:
        simulate(hour_of_outage())

Code that runs in it must not do I/O. Without threads and sockets, and with seeded randomness, each run is the same.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LIMIT_SECONDS = 1_000_000.0

RESOLUTION_SECONDS = 1e-9
"""Added to each jump: two sums of the same times may differ in the last bit, and a clock that stops that much before a
timer would never reach it."""


class Deadlock(Exception):
    """Every task waits and no timer is set, so the simulation can never end."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that starts at 0 s and sleeps without taking time."""

    def __init__(self) -> None:
        self._now_seconds = 0.0
        super().__init__(_JumpingSelector(self))
        # asyncio fires timers early by the resolution of the clock. Here a task that is woken early, and sleeps again
        # because its time has not come, would be woken at the same moment for ever.
        self._clock_resolution = 0.0

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now_seconds

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now_seconds += seconds + RESOLUTION_SECONDS


class _JumpingSelector(selectors.SelectSelector):
    """Moves the virtual clock where another selector would sleep."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the ready files; if there are none, move the clock by the time that the loop would have slept."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Deadlock
            self._loop.advance(max(timeout, 0.0))
        return ready


def simulate(coroutine: Coroutine[Any, Any, T], *, limit_seconds: float | None = LIMIT_SECONDS) -> T:
    """Run the coroutine in virtual time and return its result.

    Raises TimeoutError if it takes longer than `limit_seconds` of virtual time; without a limit, Deadlock if it can
    never end.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_limited(coroutine, limit_seconds))


async def _limited(coroutine: Coroutine[Any, Any, T], seconds: float | None) -> T:
    async with asyncio.timeout(seconds):
        return await coroutine
