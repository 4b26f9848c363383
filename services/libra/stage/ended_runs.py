"""Which runs have ended: nothing is asked for them any more. A stage that spends stops for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

import structlog

from libra.errors import Unavailable
from libra.telemetry.log_actions import Action
from libra.v1.batch_pb2 import BatchHeader
from libra.v1.run_pb2 import RunState

log = structlog.get_logger(__name__)

T = TypeVar("T")

MAX_RUNS = 1_000
"""Remembered at once; beyond it all are looked up again."""


class EndedRuns:
    """Looks a run up in the store at most every few seconds. Once ended, a run stays so."""

    def __init__(self, state: Callable[[str], Awaitable[RunState.ValueType | None]], seconds: float) -> None:
        self._state, self._seconds = state, seconds
        self._ended: set[str] = set()
        self._looked: dict[str, float] = {}

    async def unless_ended(self, header: BatchHeader, work: Callable[[], Coroutine[None, None, T]]) -> T | None:
        """Return the result of `work`, or None if the batch's run has ended or ends first; the work is then cancelled.

        The batch is then dropped, and the log says so.
        """
        run = header.run
        if await self(run):
            _log_dropped(header)
            return None
        task = asyncio.create_task(work())
        try:
            while True:
                done, _ = await asyncio.wait([task], timeout=self._seconds)
                if done:
                    return task.result()
                with contextlib.suppress(Unavailable):  # not to be known now: the work goes on
                    if await self(run):
                        _log_dropped(header)
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


def _log_dropped(header: BatchHeader) -> None:
    log.info("a batch was dropped: its run has ended", action=Action.BATCH_DROPPED, run=header.run, model=header.model)
