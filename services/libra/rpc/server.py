"""The gRPC server of a process: its services, health, reflection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import grpc.aio
from grpc_reflection.v1alpha import reflection

from libra.rpc.channel_options import SHARED
from libra.rpc.health import NAME as HEALTH
from libra.rpc.health import Health
from libra.rpc.interceptor import Interceptor
from libra.telemetry.metrics import Metrics

Served = tuple[Callable[[Any, grpc.aio.Server], None], Any, str]
"""What adds a servicer to a server, the servicer, and the full name of the service."""

MAX_CALLS = 4096
"""Calls in hand at once, watches included: some 30 KiB each."""

STOP_SECONDS = 5.0
"""Calls in hand when the server stops have this long; a watch is cut off then, and resumed elsewhere."""

OPTIONS: Final = (
    *SHARED,
    # Two processes on one port would share its calls in silence.
    ("grpc.so_reuseport", 0),
    # A server that stood still reads many pings at once, and would hang up on a client that did no wrong (too_many_pings).
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    # A client looks at the name's addresses again when its connection ends: that is how it finds new replicas.
    ("grpc.max_connection_age_ms", 300_000),
    # What is on an old connection then may go on: a watch for the length of a run.
    ("grpc.max_connection_age_grace_ms", 3_600_000),
)


class Server:
    """Listens at once and is not ready until told so."""

    def __init__(self, services: Sequence[Served], metrics: Metrics) -> None:
        names = [name for _, _, name in services]
        self._health = Health(names)
        self._server = grpc.aio.server(
            interceptors=[Interceptor(metrics)], options=OPTIONS, maximum_concurrent_rpcs=MAX_CALLS
        )
        for add, servicer, _ in services:
            add(servicer, self._server)
        reflection.enable_server_reflection([*names, HEALTH, reflection.SERVICE_NAME], self._server)

    async def start(self, address: str) -> int:
        """Listen on `address` (host:port) and return the port; raise OSError if it cannot be had."""
        await self._health.add_to(self._server)
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: is it in use, or not an address of this machine?") from error
        await self._server.start()
        return int(port)

    async def set_ready(self, ready: bool) -> None:  # noqa: FBT001 - there is but one thing to say
        """Tell probes and the callers' channels whether calls are welcome."""
        await self._health.set_ready(ready=ready)

    async def stop(self, grace_seconds: float = STOP_SECONDS) -> None:
        """Take no more calls, let those in hand finish within `grace_seconds`, and let the port go."""
        await self._health.end()
        await self._server.stop(grace_seconds)
