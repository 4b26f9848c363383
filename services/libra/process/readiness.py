"""Whether the process can do its work now: NATS and MongoDB both answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from libra.errors import Unavailable
from libra.rpc.server import Server
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
ANSWER_SECONDS = 2.0
"""A part that takes longer to say that it is there is as good as gone."""


class Pulse:
    """Asks one part whether it is there. A question that hangs is not asked again: a frozen mongod would hold them all."""

    def __init__(self, name: str, ask: Callable[[], Awaitable[None]]) -> None:
        self._name, self._ask = name, ask
        self._asked: asyncio.Future[None] | None = None

    async def trouble(self) -> str:
        """Return what is the matter with the part, "" if it is well."""
        self._asked = asked = self._asked or asyncio.ensure_future(self._ask())
        done, _ = await asyncio.wait({asked}, timeout=ANSWER_SECONDS)
        if not done:
            return f"{self._name} has not answered within {ANSWER_SECONDS:.0f} s"
        self._asked = None
        try:
            asked.result()
        except Unavailable as error:
            return str(error)
        return ""

    def end(self) -> None:
        """Wait no longer for an answer."""
        if self._asked:
            self._asked.cancel()


class Readiness:
    """Says whether the process is ready wherever it is asked for: health, the gauge `ready`, the log."""

    def __init__(self, service: str, server: Server, metrics: Metrics, pulses: Sequence[Pulse]) -> None:
        self._server, self._pulses = server, pulses
        self._gauge = metrics.ready.labels(service=service)
        self._gauge.set(0)
        self._ready = False

    async def watch(self) -> None:
        """Look, again and again, and say what has changed."""
        while True:
            troubles = [trouble for pulse in self._pulses if (trouble := await pulse.trouble())]
            if bool(troubles) == self._ready:
                await self._say(not troubles, "; ".join(troubles))
            await asyncio.sleep(LOOK_SECONDS)

    async def end(self) -> None:
        """Be not ready from here on; no `watch` may be under way."""
        for pulse in self._pulses:
            pulse.end()
        if self._ready:
            await self._say(ready=False, reason="it is told to stop")

    async def _say(self, ready: bool, reason: str) -> None:  # noqa: FBT001 - the word of the metric
        self._ready = ready
        self._gauge.set(ready)
        await self._server.set_ready(ready)
        if ready:
            log.info("ready", action=Action.PROCESS_READY)
        else:
            log.warning("not ready", action=Action.PROCESS_NOT_READY, reason=reason)
