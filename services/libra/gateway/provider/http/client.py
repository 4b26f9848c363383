"""An HTTP client that only posts: over pooled connections, within limits of time and size.

It uses aiohttp's connector (connections, TLS, DNS) and parser. `ClientSession` on top of them would cost as much again
for each request as both together (docs/performance.md), for features that are not wanted here: redirects, cookies,
retries. Only requests through a proxy use one (`proxied_client`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader

from libra.core.http.address_policy import AddressRefused
from libra.core.http.body import MAX_STREAM_BYTES, decompressed, pass_on, read_body
from libra.core.http.resolver import CheckedResolver
from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.http.body_sink import BodySink
from libra.gateway.provider.http.endpoint import HttpEndpoint
from libra.gateway.provider.http.network import Network
from libra.gateway.provider.http.proxied_client import ProxiedConnections

READ_BYTES = 64 * 1024
PROBE_SECONDS = 2.0
"""The time limit of a TLS handshake that only finds out whether a port speaks TLS."""


class Connections:
    """The connection pool of one process to all endpoints."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._loop = asyncio.get_running_loop()
        self._connector = aiohttp.TCPConnector(
            limit=0,  # the limiters bound the requests; a second limit here would only count waiting as latency
            keepalive_timeout=network.limits.keep_alive_seconds,
            resolver=CheckedResolver(network.policy, network.resolver),
            ssl=network.tls,
        )
        self._proxied: ProxiedConnections | None = None

    async def post(
        self,
        endpoint: HttpEndpoint,
        credentials: Mapping[str, str],
        data: bytes,
        timeout_seconds: float,
        sink: BodySink | None = None,
    ) -> HttpResponse:
        """Return the response. Redirects are not followed: another host would get the key.

        A body that `sink` accepts goes there; the response then has none.

        Raises TimeoutError after `timeout_seconds`, TooLong, zlib.error, AddressRefused, ProxyRefused, and aiohttp's
        errors. A connection with any error is closed and not used again.
        """
        if endpoint.proxy is not None:
            self._proxied = self._proxied or ProxiedConnections(self._network)
            return await self._proxied.post(endpoint, endpoint.proxy, credentials, data, timeout_seconds, sink)
        until = self._loop.time() + timeout_seconds
        connection = await self._connection(endpoint, min(timeout_seconds, self._network.limits.connect_seconds))
        try:
            assert connection.protocol is not None  # noqa: S101 - it has just been opened
            exchange = HttpExchange(connection.protocol)
            timer = ExchangeTimer(self._loop, exchange, until)
            if sink is not None:
                sink = _TimedSink(sink, timer, self._network.limits.stall_seconds)
            try:
                message, body = await exchange.send(endpoint.request(credentials, data), sink)
            finally:
                timer.cancel()
        except BaseException:
            connection.close()
            raise
        connection.release()
        body = decompressed(body, message.headers.get("Content-Encoding", ""))
        return HttpResponse(message.code, message.headers, body)

    async def close(self) -> None:
        """Close every connection."""
        await self._connector.close()
        if self._proxied is not None:
            await self._proxied.close()

    async def is_tls_port(self, endpoint: HttpEndpoint) -> bool:
        """Return whether the port of an http:// endpoint speaks TLS. Nothing is sent but a handshake."""
        target = aiohttp.ClientRequest("POST", endpoint.with_scheme("https"), loop=self._loop, ssl=False)
        try:
            connection = await self._connector.connect(target, traces=[], timeout=_connect_timeout(PROBE_SECONDS))
        except (aiohttp.ClientError, OSError, AddressRefused):  # a TimeoutError is an OSError
            return False
        connection.close()
        return True

    async def _connection(self, endpoint: HttpEndpoint, seconds: float) -> aiohttp.connector.Connection:
        try:
            return await self._connector.connect(endpoint.target, traces=[], timeout=_connect_timeout(seconds))
        except TimeoutError as late:
            raise aiohttp.ConnectionTimeoutError(f"no connection within {seconds:g} s") from late


class HttpExchange:
    """A request on a connection, and its response."""

    def __init__(self, protocol: ResponseHandler) -> None:
        self._protocol = protocol
        self._payload: StreamReader | None = None

    def time_out(self) -> None:
        """End the exchange with TimeoutError.

        The error is set on the protocol and the body that `send` awaits. Cancelling a task instead would cost a context
        per request.
        """
        error = TimeoutError()
        self._protocol.set_exception(error)
        if self._payload is not None:
            self._payload.set_exception(error)

    async def send(self, request: bytes, sink: BodySink | None = None) -> tuple[RawResponseMessage, bytes]:
        """Send a request; return the response's head and body, which is empty if `sink` takes it."""
        protocol = self._protocol
        protocol.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=READ_BYTES)
        if protocol.transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.transport.write(request)
        while True:
            message, self._payload = await protocol.read()
            # An interim response (RFC 9110, section 15.2) is followed by another; after 101 the protocol is not HTTP.
            if (
                not HTTPStatus.CONTINUE <= message.code < HTTPStatus.OK
                or message.code == HTTPStatus.SWITCHING_PROTOCOLS
            ):
                if sink is not None and sink.accepts(message.code, message.headers):
                    await pass_on(self._payload, sink.feed, MAX_STREAM_BYTES)
                    return message, b""
                return message, await read_body(self._payload, message.headers.get("Content-Length", ""))


class ExchangeTimer:
    """Ends an exchange at a time, which only a stall of a stream makes earlier."""

    def __init__(self, loop: asyncio.AbstractEventLoop, exchange: HttpExchange, until: float) -> None:
        self._loop, self._exchange, self._until = loop, exchange, until
        self._handle = loop.call_at(until, exchange.time_out)

    def expect_more_within(self, seconds: float) -> None:
        """End the exchange if this is not called again in time."""
        self._handle.cancel()
        self._handle = self._loop.call_at(min(self._until, self._loop.time() + seconds), self._exchange.time_out)

    def cancel(self) -> None:
        """Let the exchange go on."""
        self._handle.cancel()


class _TimedSink:
    """A sink whose stream must not stall."""

    def __init__(self, sink: BodySink, timer: ExchangeTimer, stall_seconds: float) -> None:
        self.accepts = sink.accepts
        self._feed, self._timer, self._stall_seconds = sink.feed, timer, stall_seconds

    def feed(self, part: bytes) -> None:
        self._timer.expect_more_within(self._stall_seconds)
        self._feed(part)


@cache
def _connect_timeout(seconds: float) -> aiohttp.ClientTimeout:
    """Return the limit on opening a connection: DNS, TCP and TLS."""
    return aiohttp.ClientTimeout(total=None, connect=seconds, sock_connect=seconds)
