"""Serve the metrics of a registry at GET /metrics, from a separate thread and within fixed limits."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from threading import BoundedSemaphore, Thread
from typing import Any, Self

from prometheus_client import CollectorRegistry, make_wsgi_app

MAX_CONNECTIONS = 16
"""Connections that are served at the same time, each by a thread; a further one is refused with status 503."""

REQUEST_SECONDS = 5.0
"""Time limit of one request, from its connection to the last byte of the reply."""

MAX_REQUEST_BYTES = 8 * 1024
"""Limit of the request line and the headers together; a scrape of Prometheus has less than 1 KiB."""

MAX_DISCARDED_BYTES = 64 * 1024
DISCARD_SECONDS = 0.2
"""Limits on reading a refused request, in bytes and time: the client would lose the reply if the connection were
closed with unread bytes."""

CurrentContext = Callable[[], ssl.SSLContext]
"""Returns the TLS context of the next connection."""

PATH = "/metrics"
END_OF_HEADERS = b"\r\n\r\n"
BLOCK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """It replies even while the event loop is busy. One connection carries one request."""

    server: _BoundedServer
    thread: Thread

    @classmethod
    def start(
        cls,
        registry: CollectorRegistry,
        host: str,
        port: int,
        *,
        tls: CurrentContext | None = None,
        request_seconds: float = REQUEST_SECONDS,
    ) -> Self:
        """Listen on `host`:`port`, 0 for any free port, without `tls` in plain text; raise OSError if that fails."""
        server = _BoundedServer(registry, host, port, request_seconds, tls)
        thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        return cls(server, thread)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server.server_address[1])

    def stop(self) -> None:
        """Stop listening and close the port; requests under way end by their own time limit."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _BoundedServer(ThreadingMixIn, TCPServer):
    """Serves each connection in a thread, and at most `MAX_CONNECTIONS` at the same time."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self, registry: CollectorRegistry, host: str, port: int, request_seconds: float, tls: CurrentContext | None
    ) -> None:
        self.app, self.request_seconds, self.tls = make_wsgi_app(registry), request_seconds, tls
        self._free = BoundedSemaphore(MAX_CONNECTIONS)
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self.address_family = family
        super().__init__((str(address[0]), int(address[1])), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve the connection in a new thread, or refuse it if all threads are busy."""
        if not self._free.acquire(blocking=False):
            self._refuse(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread was started
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve the connection, then let the next one have the thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def _refuse(self, request: Any) -> None:
        try:
            request.setblocking(False)  # the thread that accepts connections must not wait
            if self.tls is None:
                request.send(_reply(HTTPStatus.SERVICE_UNAVAILABLE))
        except OSError:
            pass  # the client has gone or reads nothing
        finally:
            self.shutdown_request(request)


class _Handler(BaseRequestHandler):
    """Serves one request."""

    server: _BoundedServer

    def handle(self) -> None:
        """Read a request and reply to it."""
        deadline = time.monotonic() + self.server.request_seconds
        try:
            if self.server.tls:
                self._shake_hands(self.server.tls(), deadline)
            status, environ = self._read(deadline)
            self._send(_reply(status) if environ is None else self._metrics(environ), deadline)
            if environ is None:
                self._discard()
        except OSError:
            return  # the client has gone, reads too slowly, or has no valid certificate
        finally:
            if self.server.tls:
                self.request.close()  # the server closes the connection below it

    def _shake_hands(self, tls: ssl.SSLContext, deadline: float) -> None:
        self.request = tls.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        self.request.settimeout(max(0.001, deadline - time.monotonic()))
        self.request.do_handshake()  # the timeout is that of the whole handshake

    def _send(self, reply: bytes, deadline: float) -> None:
        unsent = memoryview(reply)
        while unsent:
            self.request.settimeout(max(0.001, deadline - time.monotonic()))
            unsent = unsent[self.request.send(unsent) :]

    def _read(self, deadline: float) -> tuple[HTTPStatus, dict[str, Any] | None]:
        """Return the status of the reply and, for GET /metrics, the request as a WSGI environment."""
        data = bytearray()
        while END_OF_HEADERS not in data:
            if len(data) >= MAX_REQUEST_BYTES:
                return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, None
            remaining_seconds = deadline - time.monotonic()
            if remaining_seconds <= 0:
                return HTTPStatus.REQUEST_TIMEOUT, None
            self.request.settimeout(remaining_seconds)
            try:
                block = self.request.recv(min(BLOCK_BYTES, MAX_REQUEST_BYTES - len(data)))
            except TimeoutError:
                return HTTPStatus.REQUEST_TIMEOUT, None
            if not block:
                return HTTPStatus.BAD_REQUEST, None
            data += block
        return _parse(bytes(data).partition(END_OF_HEADERS)[0].decode("latin-1"))

    def _metrics(self, environ: dict[str, Any]) -> bytes:
        headers: list[tuple[str, str]] = []
        status = ""

        def start_response(given: str, given_headers: list[tuple[str, str]]) -> None:
            nonlocal status
            status = given
            headers.extend(given_headers)

        body: Iterable[bytes] = self.server.app(environ, start_response)
        return _encode(status, headers, b"".join(body))

    def _discard(self) -> None:
        """Read the rest of a refused request, within limits."""
        self.request.shutdown(socket.SHUT_WR)
        deadline, unread = time.monotonic() + DISCARD_SECONDS, MAX_DISCARDED_BYTES
        while unread > 0 and (remaining_seconds := deadline - time.monotonic()) > 0:
            self.request.settimeout(remaining_seconds)
            block = self.request.recv(min(BLOCK_BYTES, unread))
            if not block:
                return
            unread -= len(block)


def _parse(head: str) -> tuple[HTTPStatus, dict[str, Any] | None]:
    """Return the status of the reply and, for GET /metrics, the request as a WSGI environment."""
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - method, target and version
        return HTTPStatus.BAD_REQUEST, None
    path, _, query = words[1].partition("?")
    if words[0] != "GET" or path != PATH:
        return HTTPStatus.NOT_FOUND, None
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query}
    for line in lines:
        name, _, value = line.partition(":")
        environ[f"HTTP_{name.strip().upper().replace('-', '_')}"] = value.strip()
    return HTTPStatus.OK, environ


def _reply(status: HTTPStatus) -> bytes:
    text = f"{status.value} {status.phrase}"
    return _encode(text, [("Content-Type", "text/plain; charset=utf-8")], f"{text}\n".encode())


def _encode(status: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode("latin-1") + END_OF_HEADERS + body
