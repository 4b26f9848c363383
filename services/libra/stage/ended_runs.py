"""Drop the batches of runs that have ended, so that nothing more is spent on them.

A run that has used up its budget has not ended: what can be done without a request goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

import structlog

from libra.core.errors import Unavailable
from libra.telemetry.log_actions import Action
from libra.v1.batch_pb2 import BatchHeader
from libra.v1.run_pb2 import RunState

log = structlog.get_logger(__name__)

T = TypeVar("T")

ENDED = frozenset({RunState.RUN_STATE_FINISHED, RunState.RUN_STATE_CANCELLED})

MAX_RUNS = 1_000
"""Runs cached at the same time; beyond it the cache is cleared."""


class EndedRuns:
    """Caches which runs have ended.

    The store is asked about a run at most once in `seconds`. A cancelled run stays cancelled; a finished one may run
    again, because its failed trials are retried.
    """

    def __init__(self, state: Callable[[str], Awaitable[RunState.ValueType | None]], seconds: float) -> None:
        """`state` returns a run's state from the store, None for an unknown run."""
        self._state, self._seconds = state, seconds
        self._states: dict[str, RunState.ValueType] = {}
        self._checked_seconds: dict[str, float] = {}

    async def unless_ended(self, header: BatchHeader, work: Callable[[], Coroutine[None, None, T]]) -> T | None:
        """Return the result of `work`, or None if the batch's run has ended or ends first; `work` is then cancelled.

        None also if the work needs a request that the run's budget does not cover: dispatch sends the trials again once
        the run is resumed.
        """
        if await self.has_ended(header.run):
            _log_dropped(header)
            return None
        task = asyncio.create_task(work())
        try:
            while True:
                done, _ = await asyncio.wait([task], timeout=self._seconds)
                if done:
                    return await self._result(header, task)
                with contextlib.suppress(Unavailable):  # the state is unknown for now, so the work goes on
                    if await self.has_ended(header.run):
                        _log_dropped(header)
                        return None
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def has_ended(self, run: str) -> bool:
        """Return whether the run is finished or cancelled; False for an unknown run. Raises Unavailable."""
        if self.is_cancelled(run):
            return True
        now = asyncio.get_running_loop().time()
        if now - self._checked_seconds.get(run, -self._seconds) < self._seconds:
            return self._states.get(run) in ENDED
        if len(self._checked_seconds) >= MAX_RUNS:
            self._checked_seconds.clear()
            self._states.clear()
        # Set before the store is asked, so that concurrent callers do not ask as well.
        self._checked_seconds[run] = now
        try:
            state = await self._state(run)
        except BaseException:
            self._checked_seconds.pop(run, None)
            raise
        if state is not None:
            self._states[run] = state
        return state in ENDED

    def is_cancelled(self, run: str) -> bool:
        """Return whether the run is known to be cancelled, without asking the store."""
        return self._states.get(run) == RunState.RUN_STATE_CANCELLED

    async def _result(self, header: BatchHeader, task: asyncio.Task[T]) -> T | None:
        try:
            return task.result()
        except Unavailable:
            await self.has_ended(header.run)
            if self._states.get(header.run) != RunState.RUN_STATE_BUDGET_EXHAUSTED:
                raise
            log.info(
                "a batch was dropped: its run has used up its budget",
                action=Action.BATCH_DROPPED,
                run=header.run,
                model=header.model,
            )
            return None


def _log_dropped(header: BatchHeader) -> None:
    log.info("a batch was dropped: its run has ended", action=Action.BATCH_DROPPED, run=header.run, model=header.model)
