"""Report whether the process can work: NATS and MongoDB both reply."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from libra.core.errors import Unavailable
from libra.rpc.server import RpcServer
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

CHECK_SECONDS = 2.0
"""Interval between two checks."""

TIMEOUT_SECONDS = 2.0
"""A dependency that takes longer to reply counts as down."""


class DependencyCheck:
    """Pings one dependency. A ping that hangs is not repeated, or a suspended mongod would collect them all."""

    def __init__(self, name: str, ping: Callable[[], Awaitable[None]]) -> None:
        self._name, self._ping = name, ping
        self._pending: asyncio.Future[None] | None = None

    async def problem(self) -> str:
        """Return what is wrong with the dependency, "" if nothing is."""
        self._pending = pending = self._pending or asyncio.ensure_future(self._ping())
        done, _ = await asyncio.wait({pending}, timeout=TIMEOUT_SECONDS)
        if not done:
            return f"{self._name} has not replied within {TIMEOUT_SECONDS:.0f} s"
        self._pending = None
        try:
            pending.result()
        except Unavailable as error:
            return str(error)
        return ""

    def cancel(self) -> None:
        """Cancel a pending ping."""
        if self._pending:
            self._pending.cancel()


class Readiness:
    """Reports readiness as gRPC health, as the gauge `ready`, and in the log."""

    def __init__(self, service: str, server: RpcServer, metrics: Metrics, checks: Sequence[DependencyCheck]) -> None:
        self._server, self._checks = server, checks
        self._gauge = metrics.ready.labels(service=service)
        self._gauge.set(0)
        self._ready = False

    async def watch(self) -> None:
        """Check the dependencies for ever, and report each change."""
        while True:
            problems = [problem for check in self._checks if (problem := await check.problem())]
            if bool(problems) == self._ready:
                await self._report(not problems, "; ".join(problems))
            await asyncio.sleep(CHECK_SECONDS)

    async def stop(self) -> None:
        """Report that the process is no longer ready; call it after `watch` was cancelled."""
        for check in self._checks:
            check.cancel()
        if self._ready:
            await self._report(ready=False, reason="the process was told to stop")

    async def _report(self, ready: bool, reason: str) -> None:  # noqa: FBT001 - named as the metric
        self._ready = ready
        self._gauge.set(ready)
        await self._server.set_ready(ready)
        if ready:
            log.info("ready", action=Action.PROCESS_READY)
        else:
            log.warning("not ready", action=Action.PROCESS_NOT_READY, reason=reason)
