"""Run the workers of a process: start them together, supervise them, drain them together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.process.context import Worker
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 25.0
"""Time limit of the drain. A stage gives its running handlers 20 s and hands the rest back; a worker that is later is
cancelled."""

PAUSE_SECONDS = 1.0
"""Pause before a worker that could not reach NATS or MongoDB is restarted."""


class Workers:
    """Runs workers until `drain`.

    A worker that raises Unavailable is restarted; any other failure is a bug and fails the process.
    """

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._stop = asyncio.Event()
        self._tasks = [asyncio.create_task(self._supervise(worker)) for worker in workers]

    async def wait_for_failure(self) -> None:
        """Return when a worker has failed; wait for ever if none does."""
        if not self._tasks:
            await asyncio.Event().wait()
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> bool:
        """Stop the workers, cancel those that take longer than `seconds`, and return whether all succeeded."""
        self._stop.set()
        if not self._tasks:
            return True
        done, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            log.warning(
                "workers were cancelled; their batches will be redelivered",
                action=Action.WORKER_FAILED,
                workers=len(late),
            )
        return all(not task.cancelled() and task.result() for task in done)

    async def _supervise(self, worker: Worker) -> bool:
        """Run one worker until it is told to stop, and return whether it succeeded."""
        while not self._stop.is_set():
            try:
                await worker(self._stop)
            except Unavailable as error:
                log.warning("a worker waits", action=Action.WORKER_WAITS, reason=str(error))
                await wait_until_set(self._stop, PAUSE_SECONDS)
            except Exception:
                log.exception("a worker failed on a bug", action=Action.WORKER_FAILED)
                return False
            else:
                break
        if not self._stop.is_set():
            log.error("a worker exited unexpectedly", action=Action.WORKER_FAILED)
        return self._stop.is_set()
