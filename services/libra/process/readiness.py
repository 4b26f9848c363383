"""Report whether the process can work: NATS and MongoDB reply, and store what they are sent."""

from __future__ import annotations

import asyncio
import math
import time
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

WRITE_CHECK_SECONDS = 10.0
"""Interval between two writes that check a dependency, while they succeed."""

WRITE_GRACE_SECONDS = 5.0
"""A dependency that stores nothing counts as down after this long: a busy disk delays single writes for seconds."""


class DependencyCheck:
    """Pings one dependency. A ping that hangs is not repeated, or a suspended mongod would collect them all."""

    def __init__(
        self,
        name: str,
        ping: Callable[[], Awaitable[None]],
        *,
        every_seconds: float = 0.0,
        grace_seconds: float = 0.0,
    ) -> None:
        """A success is good for `every_seconds`; failures count once they have lasted for `grace_seconds`."""
        self._name, self._ping = name, ping
        self._every_seconds, self._grace_seconds = every_seconds, grace_seconds
        self._pending: asyncio.Future[None] | None = None
        self._succeeded_seconds = -math.inf
        self._failing_since = math.inf

    async def problem(self) -> str:
        """Return what is wrong with the dependency, "" if nothing is."""
        if time.monotonic() < self._succeeded_seconds + self._every_seconds:
            return ""
        if not (problem := await self._find_problem()):
            self._succeeded_seconds, self._failing_since = time.monotonic(), math.inf
            return ""
        self._failing_since = min(self._failing_since, time.monotonic())
        return problem if time.monotonic() >= self._failing_since + self._grace_seconds else ""

    async def _find_problem(self) -> str:
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


def write_check(name: str, check: Callable[[], Awaitable[None]]) -> DependencyCheck:
    """Return the check that a dependency stores what it is sent."""
    return DependencyCheck(name, check, every_seconds=WRITE_CHECK_SECONDS, grace_seconds=WRITE_GRACE_SECONDS)


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
        await self._server.set_ready(ready, reason)
        if ready:
            log.info("ready", action=Action.PROCESS_READY)
        else:
            log.warning("not ready", action=Action.PROCESS_NOT_READY, reason=reason)
