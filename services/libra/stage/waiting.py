"""Waiting with a message in hand: for a part that is away, for room in a queue, or for the signal to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from libra.stage.bus import Delivery
from libra.telemetry.actions import Action

log = structlog.get_logger(__name__)


class Stopped(Exception):
    """The signal to stop came while nothing was being done; the message is to be handed back."""


@dataclass(slots=True)
class Hold:
    """One message that is waited with. The first wait is told of in the log, the others are not."""

    stage: str
    key: str
    stop: asyncio.Event
    wait_seconds: float
    told: bool = False

    async def on(self, reason: Exception) -> None:
        """Wait a while for what `reason` says is away; raise Stopped if the signal to stop comes first."""
        if not self.told:
            self.told = True
            log.warning("a batch waits", action=Action.BATCH_WAITS, stage=self.stage, key=self.key, reason=str(reason))
        stopping = asyncio.ensure_future(self.stop.wait())
        try:
            # Not wait_for: from Python 3.12 on it would return before the puller knows of the stop, and the pull that is still
            # open would take the message that is handed back here.
            await asyncio.wait({stopping}, timeout=self.wait_seconds)
        finally:
            stopping.cancel()
        if self.stop.is_set():
            raise Stopped


@contextlib.asynccontextmanager
async def keep_alive(delivery: Delivery, every_seconds: float) -> AsyncIterator[None]:
    """Keep saying that the work goes on, so that nobody else is given it."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(every_seconds)
            with contextlib.suppress(Exception):  # the next beat may get through; two of them are spare
                await delivery.working()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
