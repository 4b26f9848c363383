"""Serve grpc.health.v1 for probes and for the channels of callers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

NAME = health.SERVICE_NAME

LIVENESS = "liveness"
"""The service name for liveness probes: SERVING as long as the process replies. A restart would not end an outage of
NATS or MongoDB, so liveness does not depend on them."""

REASON_KEY = "libra-not-ready-bin"
"""The trailing metadata with the reason why the process is not ready, in UTF-8."""

MAX_REASON_CHARACTERS = 1000

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class HealthServicer(health.aio.HealthServicer):
    """Serves the protocol; its Check also says why the process is not ready."""

    reason = ""

    async def Check(self, request: Any, context: Any) -> Any:
        """Return the status of a service, with the reason in the trailing metadata."""
        if self.reason:
            context.set_trailing_metadata(((REASON_KEY, self.reason.encode()),))
        return await super().Check(request, context)


class Health:
    """The health of the process, under the name "", and of each of its services; NOT_SERVING until `set_ready`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = ["", *names]
        self._servicer = HealthServicer()

    async def add_to(self, server: grpc.aio.Server) -> None:
        """Register the health service with `server`."""
        await self.set_ready(ready=False)
        await self._servicer.set(LIVENESS, _SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def set_ready(self, *, ready: bool, reason: str = "") -> None:
        """Report SERVING or NOT_SERVING to probes and watchers."""
        self._servicer.reason = reason[:MAX_REASON_CHARACTERS]
        for name in self._names:
            await self._servicer.set(name, _SERVING if ready else _NOT_SERVING)

    async def stop(self) -> None:
        """Report NOT_SERVING from now on; later calls of `set_ready` have no effect."""
        await self._servicer.enter_graceful_shutdown()
