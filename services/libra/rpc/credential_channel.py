"""A channel that sends a token with each call, and connects again when the TLS files change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import grpc.aio
import structlog

from libra.core.errors import Invalid
from libra.rpc.tls import Tls
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

AUTHORIZATION_KEY = "authorization"

CHECK_SECONDS = 1.0
"""Changed files are used from the next call on that begins at least this long after the last check."""

CLOSE_GRACE_SECONDS = 3600.0
"""Calls on the channel before the change may go on for this long: a watch lasts as long as a run."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The certificate and the token that a client shows to services."""

    tls: Tls | None = None
    """None: the connection is in plain text."""

    token: Callable[[], str] = field(default=str, repr=False)
    """Returns the token of the next call; "" if there is none."""

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the metadata that carries the token."""
        token = self.token()
        return ((AUTHORIZATION_KEY, f"Bearer {token}"),) if token else ()


class CredentialChannel(grpc.aio.Channel):
    """Behaves as a channel of grpc.aio; stubs made from it stay valid when the files change."""

    def __init__(self, address: str, credentials: Credentials, options: Sequence[tuple[str, Any]]) -> None:
        self._address, self._credentials, self._options = address, credentials, options
        self._stamp = credentials.tls.stamp() if credentials.tls else ()
        self._channel = self._open()
        self._next_check_seconds = time.monotonic() + CHECK_SECONDS
        self._closing: set[asyncio.Task[None]] = set()
        self._methods: dict[str, Any] = {}

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> CredentialMethod:
        """Return the method of one request and one reply."""
        return CredentialMethod(self, "unary_unary", method, args, kwargs)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> CredentialMethod:
        """Return the method of one request and a stream of replies."""
        return CredentialMethod(self, "unary_stream", method, args, kwargs)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> CredentialMethod:
        """Return the method of a stream of requests and one reply."""
        return CredentialMethod(self, "stream_unary", method, args, kwargs)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> CredentialMethod:
        """Return the method of two streams."""
        return CredentialMethod(self, "stream_stream", method, args, kwargs)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002 - gRPC's own
        """Return the state of the present connection."""
        return self._current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the state differs from the given one."""
        await self._current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the channel is connected."""
        await self._current().channel_ready()

    async def close(self, grace: float | None = None) -> None:
        """Close the connections, those of before a change too."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(self._channel.close(grace), *self._closing, return_exceptions=True)

    async def __aenter__(self) -> Self:
        """Return the channel."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the channel."""
        await self.close()

    def find_method(self, kind: str, path: str, args: Any, kwargs: Any) -> Any:
        """Return the method of the present connection."""
        channel = self._current()
        if path not in self._methods:
            self._methods[path] = getattr(channel, kind)(path, *args, **kwargs)
        return self._methods[path]

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the metadata of the next call."""
        return self._credentials.metadata()

    def _current(self) -> grpc.aio.Channel:
        tls, now_seconds = self._credentials.tls, time.monotonic()
        if tls and now_seconds >= self._next_check_seconds:
            self._next_check_seconds = now_seconds + CHECK_SECONDS
            if (stamp := tls.stamp()) != self._stamp:
                self._replace(stamp)
        return self._channel

    def _replace(self, stamp: Any) -> None:
        try:
            opened = self._open()
        except Invalid as error:
            log.warning("the changed TLS files are not used", action=Action.TLS_REFUSED, reason=str(error))
            return
        old, self._channel, self._stamp, self._methods = self._channel, opened, stamp, {}
        task = asyncio.get_running_loop().create_task(old.close(CLOSE_GRACE_SECONDS))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _open(self) -> grpc.aio.Channel:
        if self._credentials.tls is None:
            return grpc.aio.insecure_channel(self._address, options=self._options)
        credentials = self._credentials.tls.channel_credentials()
        options = (*self._options, *certificate_name_option(self._address))
        return grpc.aio.secure_channel(self._address, credentials, options=options)


def certificate_name_option(address: str) -> tuple[tuple[str, str], ...]:
    """Return the option that names the host in the certificates of "ipv4:host:port,host:port".

    gRPC takes the name from the address, and several ones are no name.
    """
    family, _, targets = address.partition(":")
    hosts = {target.rpartition(":")[0] for target in targets.split(",")}
    if family not in {"ipv4", "ipv6"} or "," not in targets or len(hosts) > 1:
        return ()
    return (("grpc.default_authority", hosts.pop()),)


class CredentialMethod:
    """One method of a stub; each call uses the present connection and token."""

    def __init__(self, channel: CredentialChannel, kind: str, path: str, args: Any, kwargs: Any) -> None:
        self._channel, self._kind, self._path, self._args, self._kwargs = channel, kind, path, args, kwargs
        self._method = path.encode()  # as in the methods of grpc.aio, for the names of spans and errors

    def __call__(self, request: Any = None, *, metadata: Sequence[tuple[str, str]] = (), **options: Any) -> Any:
        """Start the call."""
        method = self._channel.find_method(self._kind, self._path, self._args, self._kwargs)
        return method(request, metadata=(*metadata, *self._channel.metadata()), **options)
