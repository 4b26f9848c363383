"""One HTTP exchange: a POST over a kept connection, and what comes back, within limits of time and size.

It stands on aiohttp's connector (connections, TLS, names) and parser. `ClientSession` above them would cost as much again
for each request as both together (docs/performance.md), for what is not wanted here: redirects, cookies, proxies, retries.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

MAX_BODY_BYTES = 4 * 1024 * 1024
READ_BYTES = 64 * 1024
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS

HEADERS = (
    "Content-Type: application/json\r\n"
    "Accept: application/json\r\n"
    # Answers are small; what is not compressed cannot burst.
    "Accept-Encoding: identity\r\n"
    "User-Agent: libra\r\n"
)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What an exchange is held to."""

    connect_seconds: float = 15.0
    """A connection is made within this, or the attempt has failed: no need to wait for the model's whole timeout."""

    keep_alive_seconds: float = 30.0
    """Shorter than what servers grant an idle connection, lest a request meet one that is being closed."""


class TooLong(Exception):
    """The body is longer than MAX_BODY_BYTES."""


class Endpoint:
    """A URL to post to: what all requests to it have in common. Raises ValueError if it is none of HTTP."""

    def __init__(self, url: str) -> None:
        parsed = URL(url)
        if parsed.scheme not in ("http", "https") or not parsed.raw_host:
            raise ValueError("it is not an http:// or https:// URL")
        # Only where to connect is asked of it; it is never sent.
        self.target = aiohttp.ClientRequest("POST", parsed, loop=asyncio.get_running_loop())
        self._head = f"POST {parsed.raw_path_qs} HTTP/1.1\r\nHost: {parsed.host_port_subcomponent}\r\n{HEADERS}"

    def request(self, key: str, data: bytes) -> bytes:
        """Return the bytes of a request; `key` holds printable ASCII only, and no header if it is empty."""
        authorization = f"Authorization: Bearer {key}\r\n" if key else ""
        return f"{self._head}{authorization}Content-Length: {len(data)}\r\n\r\n".encode() + data


class Connections:
    """The connections of one process to all endpoints."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        # The limiters count; a second limit here would only hide a request's wait in its latency.
        self._connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=limits.keep_alive_seconds)

    async def post(
        self, endpoint: Endpoint, key: str, data: bytes, timeout_seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return the response's status, headers and body, not redirected: a key would go where the entry does not say.

        Raises TimeoutError after `timeout_seconds`, TooLong, zlib.error, and what aiohttp raises. A connection on which
        anything went wrong is not used again.
        """
        until = self._loop.time() + timeout_seconds
        connection = await self._connection(endpoint, min(timeout_seconds, self._limits.connect_seconds))
        try:
            assert connection.protocol is not None  # noqa: S101 - it has just been opened
            exchange = Exchange(connection.protocol)
            late = self._loop.call_at(until, exchange.fail)
            try:
                message, body = await exchange.done(endpoint.request(key, data))
            finally:
                late.cancel()
        except BaseException:
            connection.close()
            raise
        connection.release()
        return message.code, message.headers, unpacked(body, message.headers.get("Content-Encoding", ""))

    async def close(self) -> None:
        """Close every connection."""
        await self._connector.close()

    async def _connection(self, endpoint: Endpoint, seconds: float) -> aiohttp.connector.Connection:
        try:
            return await self._connector.connect(endpoint.target, traces=[], timeout=_connecting(seconds))
        except TimeoutError as late:
            raise aiohttp.ConnectionTimeoutError(f"no connection within {seconds:g} s") from late


class Exchange:
    """A request on a connection, and what comes back."""

    def __init__(self, protocol: ResponseHandler) -> None:
        self._protocol = protocol
        self._payload: StreamReader | None = None

    def fail(self) -> None:
        """Let the exchange end with TimeoutError. Whoever waits is told: to cancel a task costs its context at each request."""
        error = TimeoutError()
        self._protocol.set_exception(error)
        if self._payload is not None:
            self._payload.set_exception(error)

    async def done(self, request: bytes) -> tuple[RawResponseMessage, bytes]:
        """Return the response's head and body."""
        protocol = self._protocol
        protocol.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=READ_BYTES)
        if protocol.transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.transport.write(request)
        while True:
            message, self._payload = await protocol.read()
            # An interim response (RFC 9110, section 15.2) is followed by another; 101 would end the talk in HTTP.
            if (
                not HTTPStatus.CONTINUE <= message.code < HTTPStatus.OK
                or message.code == HTTPStatus.SWITCHING_PROTOCOLS
            ):
                return message, await bounded(self._payload, message.headers.get("Content-Length", ""))


@cache
def _connecting(seconds: float) -> aiohttp.ClientTimeout:
    """Return the limit on all that comes before a connection: the look-up of the name, TCP and TLS."""
    return aiohttp.ClientTimeout(total=None, connect=seconds, sock_connect=seconds)


async def bounded(payload: StreamReader, length: str) -> bytes:
    """Return a body of the announced `length`, if any, as it came; raise TooLong as soon as it is."""
    if length.isdecimal() and int(length) > MAX_BODY_BYTES:
        raise TooLong
    parts: list[bytes] = []
    size = 0
    while part := await payload.readany():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise TooLong
        parts.append(part)
    return b"".join(parts)


def unpacked(body: bytes, encoding: str) -> bytes:
    """Undo a compression that was not asked for, up to the limit; raise TooLong beyond it, and zlib.error."""
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    inflate = zlib.decompressobj(GZIP_OR_ZLIB)
    data = inflate.decompress(body, MAX_BODY_BYTES + 1)
    if len(data) > MAX_BODY_BYTES:
        raise TooLong
    if not inflate.eof:
        raise zlib.error("the compressed answer is cut short")
    return data
