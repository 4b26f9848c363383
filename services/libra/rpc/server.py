"""The gRPC server of a process, with health and reflection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import grpc.aio
from grpc_reflection.v1alpha import reflection

from libra.rpc.access.guard import Guard
from libra.rpc.channel_options import COMMON_OPTIONS
from libra.rpc.health import NAME as HEALTH
from libra.rpc.health import Health
from libra.rpc.interceptor import Interceptor
from libra.telemetry.metrics import Metrics

ServedService = tuple[Callable[[Any, grpc.aio.Server], None], Any, str]
"""The generated function that registers a servicer, the servicer, and the full name of the service."""

MAX_CALLS = 4096
"""Maximum concurrent calls, watches included; a call takes some 30 KiB."""

STOP_SECONDS = 5.0
"""Maximum time for running calls when the server stops; a watch is cancelled then, and its client resumes it
elsewhere."""

OPTIONS: Final = (
    *COMMON_OPTIONS,
    # Otherwise two processes on one port would silently share its calls.
    ("grpc.so_reuseport", 0),
    # A server that was suspended reads many pings at once, and would disconnect a correct client (too_many_pings).
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    # A client resolves the name again when its connection ends: that is how it finds new replicas.
    ("grpc.max_connection_age_ms", 300_000),
    # Calls on an old connection may go on for this long, such as a watch for the length of a run.
    ("grpc.max_connection_age_grace_ms", 3_600_000),
)


class RpcServer:
    """Listens from `start` on, and reports NOT_SERVING until `set_ready`."""

    def __init__(self, services: Sequence[ServedService], metrics: Metrics, guard: Guard | None = None) -> None:
        names = [name for _, _, name in services]
        self._health = Health(names)
        self._server = grpc.aio.server(
            interceptors=[Interceptor(metrics, guard)], options=OPTIONS, maximum_concurrent_rpcs=MAX_CALLS
        )
        for add, servicer, _ in services:
            add(servicer, self._server)
        self._health_server = grpc.aio.server(options=OPTIONS)
        reflection.enable_server_reflection([*names, HEALTH, reflection.SERVICE_NAME], self._server)

    async def start(
        self, address: str, credentials: grpc.ServerCredentials | None = None, *, health_address: str = ""
    ) -> int:
        """Listen on `address` (host:port) and return the port; raise OSError if that fails.

        Without credentials it is in plain text. Health is also served in plain text on `health_address`, if there is
        one, for probes that cannot use TLS.
        """
        await self._health.add_to(self._server)
        port = _listen(self._server, address, credentials)
        if health_address:
            await self._health.add_to(self._health_server)
            _listen(self._health_server, health_address, None)
            await self._health_server.start()
        await self._server.start()
        return port

    async def set_ready(self, ready: bool, reason: str = "") -> None:  # noqa: FBT001 - the main argument
        """Report to probes and callers whether the service takes calls, and the reason if it does not."""
        await self._health.set_ready(ready=ready, reason=reason)

    async def stop(self, grace_seconds: float = STOP_SECONDS) -> None:
        """Refuse new calls, let running ones finish within `grace_seconds`, and close the port."""
        await self._health.stop()
        await self._server.stop(grace_seconds)
        await self._health_server.stop(None)


def _listen(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None) -> int:
    try:
        if credentials:
            return int(server.add_secure_port(address, credentials))
        return int(server.add_insecure_port(address))
    except RuntimeError as error:
        raise OSError(
            f"cannot listen on {address}; check that it is an address of this machine and that nothing else uses it"
        ) from error
