"""Pause while a message waits: for a dependency that is away, or for space in a queue."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from libra.core.timeouts import wait_until_set
from libra.stage.bus import Delivery
from libra.stage.errors import Stopped
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Wait:
    """The pauses of one message. Only the first one is logged."""

    stage: str
    key: str
    draining: asyncio.Event
    pause_seconds: float
    logged: bool = False

    async def pause(self, reason: Exception) -> None:
        """Pause because of `reason`; raise Stopped as soon as the stage drains."""
        if not self.logged:
            self.logged = True
            log.warning("a batch waits", action=Action.BATCH_WAITS, stage=self.stage, key=self.key, reason=str(reason))
        if await wait_until_set(self.draining, self.pause_seconds):
            raise Stopped


@contextlib.asynccontextmanager
async def keep_alive(delivery: Delivery, every_seconds: float) -> AsyncIterator[None]:
    """Extend the acknowledgement deadline of a delivery again and again, so that it is not redelivered meanwhile."""

    async def extend() -> None:
        while True:
            await asyncio.sleep(every_seconds)
            with contextlib.suppress(Exception):  # two of three may be lost before the deadline passes
                await delivery.working()

    extending = asyncio.create_task(extend())
    try:
        yield
    finally:
        extending.cancel()
