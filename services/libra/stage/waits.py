"""Waiting with a message in hand: for a part that is away, for room in a queue, or for the signal to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from libra.stage.bus import Delivery
from libra.telemetry.log_actions import Action
from libra.timeouts import wait_until_set

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
        if await wait_until_set(self.stop, self.wait_seconds):
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
