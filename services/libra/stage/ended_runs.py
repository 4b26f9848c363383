"""Which runs have ended: nothing is asked for them any more. A stage that spends stops for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

from libra.errors import Unavailable
from libra.v1.run_pb2 import RunState

T = TypeVar("T")

MAX_RUNS = 1_000
"""Remembered at once; beyond it all are looked up again."""


class EndedRuns:
    """Looks a run up in the store at most every few seconds. Once ended, a run stays so."""

    def __init__(self, state: Callable[[str], Awaitable[RunState.ValueType | None]], seconds: float) -> None:
        self._state, self._seconds = state, seconds
        self._ended: set[str] = set()
        self._looked: dict[str, float] = {}

    async def unless_ended(self, run: str, work: Callable[[], Coroutine[None, None, T]]) -> T | None:
        """Return what `work` comes to, or None if the run has ended or ends before; the work is then called off."""
        if await self(run):
            return None
        task = asyncio.create_task(work())
        try:
            while True:
                done, _ = await asyncio.wait([task], timeout=self._seconds)
                if done:
                    return task.result()
                with contextlib.suppress(Unavailable):  # not to be known now: the work goes on
                    if await self(run):
                        return None
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def __call__(self, run: str) -> bool:
        """Tell whether the run is finished or cancelled. A run that the store does not know is not; raise Unavailable."""
        if run in self._ended:
            return True
        now = asyncio.get_running_loop().time()
        if now - self._looked.get(run, -self._seconds) < self._seconds:
            return False
        if len(self._looked) >= MAX_RUNS:
            self._looked.clear()
            self._ended.clear()
        # Before the look: who comes during it does not look as well.
        self._looked[run] = now
        try:
            state = await self._state(run)
        except BaseException:
            self._looked.pop(run, None)
            raise
        if state is not None and state != RunState.RUN_STATE_RUNNING:
            self._ended.add(run)
        return run in self._ended
