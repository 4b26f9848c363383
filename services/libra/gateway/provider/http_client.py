"""An HTTP client that only posts: over pooled connections, within limits of time and size.

It uses aiohttp's connector (connections, TLS, DNS) and parser. `ClientSession` on top of them would cost as much again
for each request as both together (docs/performance.md), for features that are not wanted here: redirects, cookies,
proxies, retries.
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
    # Answers are small, and without compression there are no decompression bombs.
    "Accept-Encoding: identity\r\n"
    "User-Agent: libra\r\n"
)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Time limits of connections."""

    connect_seconds: float = 15.0
    """Time limit for opening a connection, shorter than the model's timeout."""

    keep_alive_seconds: float = 30.0
    """Idle connections are closed after this, sooner than servers close them, so that no request uses a connection that
    is closing."""


class TooLong(Exception):
    """The body is longer than MAX_BODY_BYTES."""


class HttpEndpoint:
    """A URL to post to, with what all requests to it share. Raises ValueError if it is not an HTTP URL."""

    def __init__(self, url: str) -> None:
        parsed = URL(url)
        if parsed.scheme not in ("http", "https") or not parsed.raw_host:
            raise ValueError("it is not an http:// or https:// URL")
        # It only tells the connector where to connect; it is never sent.
        self.target = aiohttp.ClientRequest("POST", parsed, loop=asyncio.get_running_loop())
        self._head = f"POST {parsed.raw_path_qs} HTTP/1.1\r\nHost: {parsed.host_port_subcomponent}\r\n{HEADERS}"

    def request(self, key: str, data: bytes) -> bytes:
        """Return the bytes of a request. `key` is printable ASCII; if it is empty, no Authorization header is sent."""
        authorization = f"Authorization: Bearer {key}\r\n" if key else ""
        return f"{self._head}{authorization}Content-Length: {len(data)}\r\n\r\n".encode() + data


class Connections:
    """The connection pool of one process to all endpoints."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        # The limiters bound the requests; a second limit here would only count waiting as latency.
        self._connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=limits.keep_alive_seconds)

    async def post(
        self, endpoint: HttpEndpoint, key: str, data: bytes, timeout_seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return the response's status, headers and body. Redirects are not followed: another host would get the key.

        Raises TimeoutError after `timeout_seconds`, TooLong, zlib.error, and aiohttp's errors. A connection with any
        error is closed and not used again.
        """
        until = self._loop.time() + timeout_seconds
        connection = await self._connection(endpoint, min(timeout_seconds, self._limits.connect_seconds))
        try:
            assert connection.protocol is not None  # noqa: S101 - it has just been opened
            exchange = HttpExchange(connection.protocol)
            timer = self._loop.call_at(until, exchange.time_out)
            try:
                message, body = await exchange.send(endpoint.request(key, data))
            finally:
                timer.cancel()
        except BaseException:
            connection.close()
            raise
        connection.release()
        return message.code, message.headers, decompressed(body, message.headers.get("Content-Encoding", ""))

    async def close(self) -> None:
        """Close every connection."""
        await self._connector.close()

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

    async def send(self, request: bytes) -> tuple[RawResponseMessage, bytes]:
        """Send a request; return the response's head and body."""
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
                return message, await _read_body(self._payload, message.headers.get("Content-Length", ""))


@cache
def _connect_timeout(seconds: float) -> aiohttp.ClientTimeout:
    """Return the limit on opening a connection: DNS, TCP and TLS."""
    return aiohttp.ClientTimeout(total=None, connect=seconds, sock_connect=seconds)


async def _read_body(payload: StreamReader, length: str) -> bytes:
    """Return the body as it arrives. Raises TooLong as soon as the announced or real length exceeds MAX_BODY_BYTES."""
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


def decompressed(body: bytes, encoding: str) -> bytes:
    """Undo a compression that was not requested. Raises TooLong beyond MAX_BODY_BYTES, and zlib.error."""
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    inflate = zlib.decompressobj(GZIP_OR_ZLIB)
    data = inflate.decompress(body, MAX_BODY_BYTES + 1)
    if len(data) > MAX_BODY_BYTES:
        raise TooLong
    if not inflate.eof:
        raise zlib.error("the compressed answer is cut short")
    return data
