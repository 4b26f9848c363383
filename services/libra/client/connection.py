"""The connection of a client: one channel for each service, and calls with deadlines, retries and credentials."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc.aio

from libra.client.credentials import token_metadata
from libra.core.errors import Invalid, Unavailable
from libra.rpc.client import call, channel, stream
from libra.rpc.credential_channel import Credentials
from libra.rpc.tls import Tls

FIRST_WAIT_SECONDS = 0.2
MAX_WAIT_SECONDS = 5.0

Stub = TypeVar("Stub")


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """The addresses, credentials and timeouts of a client."""

    addresses: Mapping[str, str]
    """By service, "host:port", or a name with several addresses."""

    tls: Tls | None = None
    token: str = field(default="", repr=False)
    timeout_seconds: float = 30.0
    """The time for one call, retries included."""

    def address(self, service: str) -> str:
        """Return the address of a service. Raises Invalid if it is unknown."""
        if address := self.addresses.get(service):
            return address
        raise Invalid(f"the client has no address of {service}: give it {service}='host:port'", field=service)


class Connection:
    """Calls the services, in one event loop. Use it as a context manager, or close it."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._channels: dict[str, grpc.aio.Channel] = {}
        if settings.tls:
            settings.tls.channel_credentials()  # raises Invalid now, rather than at the first call
        self._credentials = Credentials(settings.tls)
        self._metadata = token_metadata(
            settings.token, addresses=list(settings.addresses.values()), is_encrypted=settings.tls is not None
        )

    async def call(
        self,
        service: str,
        stub: Callable[[grpc.aio.Channel], Any],
        method: str,
        request: Any,
        *,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Return the reply to `request`, which is safe to repeat; try again while the service is unavailable.

        Raises a CallerError if the service refused the request, Unavailable if no reply came in time, and RemoteFault
        if the service failed on a bug.
        """
        found = getattr(stub(self._channel(service)), method)
        seconds = self._settings.timeout_seconds if timeout_seconds is None else timeout_seconds
        end, wait_seconds = time.monotonic() + seconds, FIRST_WAIT_SECONDS
        while True:
            try:
                return await call(found, request, max(0.0, end - time.monotonic()), metadata=self._metadata)
            except Unavailable:
                pause = wait_seconds * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
                if time.monotonic() + pause >= end:
                    raise
            await asyncio.sleep(pause)
            wait_seconds = min(MAX_WAIT_SECONDS, 2 * wait_seconds)

    async def stream(
        self, service: str, stub: Callable[[grpc.aio.Channel], Any], method: str, request: Any
    ) -> AsyncIterator[Any]:
        """Yield the replies of a streaming method, without a time limit; raises as `call` does."""
        found = getattr(stub(self._channel(service)), method)
        async for reply in stream(found, request, None, metadata=self._metadata):
            yield reply

    async def close(self) -> None:
        """Close the channels; open calls fail with Unavailable."""
        channels, self._channels = self._channels, {}
        await asyncio.gather(*(each.close() for each in channels.values()))

    def _channel(self, service: str) -> grpc.aio.Channel:
        if service not in self._channels:
            self._channels[service] = channel(self._settings.address(service), self._credentials)
        return self._channels[service]
