"""grpc.health.v1: what the service says of itself to probes and to its callers' channels."""

from __future__ import annotations

from collections.abc import Sequence

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

NAME = health.SERVICE_NAME

LIVENESS = "liveness"
"""Asked for by this name, the answer says no more than that the process answers. A probe that restarts it asks for this: no
restart mends an outage of NATS or MongoDB."""

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """One answer for the process, which is "", and for each of its services: NOT_SERVING until told otherwise."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = ["", *names]
        self._servicer = health.aio.HealthServicer()

    async def add_to(self, server: grpc.aio.Server) -> None:
        """Serve it on `server`."""
        await self.set_ready(ready=False)
        await self._servicer.set(LIVENESS, _SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def set_ready(self, *, ready: bool) -> None:
        """Say SERVING or NOT_SERVING, also to those who watch."""
        for name in self._names:
            await self._servicer.set(name, _SERVING if ready else _NOT_SERVING)

    async def end(self) -> None:
        """Say NOT_SERVING from here on, whatever `set_ready` is told."""
        await self._servicer.enter_graceful_shutdown()
