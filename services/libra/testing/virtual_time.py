"""Virtual time: an event loop whose clock jumps to the next timer whenever there is nothing else to do.

    def test_an_hour_of_outage() -> None:
        simulate(hour_of_outage())

What runs in it must do no I/O. Without threads and sockets, and with seeded randomness, it runs the same way each time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LIMIT_SECONDS = 1_000_000.0

RESOLUTION_SECONDS = 1e-9
"""Added to each jump: two sums of the same times may differ in the last bit, and a clock that stops short of a timer by that
never reaches it."""


class Deadlock(Exception):
    """Every task waits, and no timer would ever wake one: the simulation can never end."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that begins at 0 s and sleeps in no time."""

    def __init__(self) -> None:
        self._now_seconds = 0.0
        super().__init__(_JumpingSelector(self))
        # asyncio fires timers early by what the clock cannot tell apart. This clock can: who is woken early, finds that it is
        # not time yet and sleeps again, would be woken at the same moment for ever.
        self._clock_resolution = 0.0

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now_seconds

    def advance(self, seconds: float) -> None:
        """Set the clock forward."""
        self._now_seconds += seconds + RESOLUTION_SECONDS


class _JumpingSelector(selectors.SelectSelector):
    """Jumps where another selector would sleep."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is, have the time pass that the loop would have slept."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Deadlock
            self._loop.advance(max(timeout, 0.0))
        return ready


def simulate(coroutine: Coroutine[Any, Any, T], *, limit_seconds: float | None = LIMIT_SECONDS) -> T:
    """Return what the coroutine returns, run in virtual time.

    TimeoutError if it takes longer than `limit_seconds` of that; without a limit, Deadlock if it can never end.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_limited(coroutine, limit_seconds))


async def _limited(coroutine: Coroutine[Any, Any, T], seconds: float | None) -> T:
    async with asyncio.timeout(seconds):
        return await coroutine
