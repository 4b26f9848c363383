"""The tasks of a process: started together, watched, and ended together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from libra.errors import Unavailable
from libra.process.context import Worker
from libra.telemetry.log_actions import Action
from libra.timeouts import wait_until_set

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 25.0
"""A stage's policy gives the work in hand 20 s, then hands it back; whoever is not done by then is cut off."""

PAUSE_SECONDS = 1.0
"""A worker that cannot reach NATS or MongoDB begins anew after this."""


class Workers:
    """Runs workers until they are told to stop. One that fails for a reason nobody knows is a bug, and fails the process."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._stop = asyncio.Event()
        self._tasks = [asyncio.create_task(self._keep(worker)) for worker in workers]

    async def failed(self) -> None:
        """Return when one of them has failed; never, if none does."""
        if not self._tasks:
            await asyncio.Event().wait()
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> bool:
        """Let them finish what they have in hand, cut them off after `seconds`, and tell whether all ended well."""
        self._stop.set()
        if not self._tasks:
            return True
        done, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            log.warning(
                "work in hand was cut off; it is given out again", action=Action.WORKER_FAILED, workers=len(late)
            )
        return all(not task.cancelled() and task.result() for task in done)

    async def _keep(self, worker: Worker) -> bool:
        """Run one worker to its end, and tell whether that is as it should be."""
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
            log.error("a worker ended though nobody told it to", action=Action.WORKER_FAILED)
        return self._stop.is_set()
