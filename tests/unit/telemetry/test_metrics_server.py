"""/metrics serves the given registry and no other."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from libra.telemetry.metrics import Metrics
from libra.telemetry.metrics_server import MAX_CONNECTIONS, MetricsServer


def fetch(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        return str(response.read().decode())


def test_the_metrics_of_the_registry_are_served() -> None:
    registry = CollectorRegistry()
    Metrics(registry).trials_sent.labels(model='odd "name"\n').inc(3)
    server = MetricsServer.start(registry, "127.0.0.1", 0)
    try:
        text = fetch(server.port)
    finally:
        server.stop()
    assert 'libra_trials_sent_total{model="odd \\"name\\"\\n"} 3.0' in text
    assert "python_info" not in text
    with pytest.raises(urllib.error.URLError):
        fetch(server.port)


def test_a_port_in_use_is_an_os_error() -> None:
    first = MetricsServer.start(CollectorRegistry(), "127.0.0.1", 0)
    try:
        with pytest.raises(OSError, match="in use"):
            MetricsServer.start(CollectorRegistry(), "127.0.0.1", first.port)
    finally:
        first.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[MetricsServer]:
    registry = CollectorRegistry()
    Metrics(registry).trials_sent.labels(model="one").inc()
    started = MetricsServer.start(registry, "127.0.0.1", 0, request_seconds=0.5)
    yield started
    started.stop()


def connect(server: MetricsServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def read_all(client: socket.socket) -> bytes:
    with contextlib.suppress(ConnectionResetError):
        return b"".join(iter(lambda: client.recv(65536), b""))
    return b""


def exchange(server: MetricsServer, request: bytes) -> bytes:
    with connect(server) as client:
        client.sendall(request)
        return read_all(client)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /metrics HTTP/1.1", b"200"),
        (b"GET /metrics HTTP/1.0", b"200"),
        (b"GET /metrics?name[]=libra_trials_sent_total HTTP/1.1", b"200"),
        (b"GET / HTTP/1.1", b"404"),
        (b"GET /favicon.ico HTTP/1.1", b"404"),
        (b"GET /metrics/ HTTP/1.1", b"404"),
        (b"GET /metrics2 HTTP/1.1", b"404"),
        (b"GET /x/../metrics HTTP/1.1", b"404"),
        (b"POST /metrics HTTP/1.1", b"404"),
        (b"HEAD /metrics HTTP/1.1", b"404"),
        (b"OPTIONS /metrics HTTP/1.1", b"404"),
        (b"DELETE /metrics HTTP/1.1", b"404"),
        (b"get /metrics HTTP/1.1", b"404"),
        (b"GET /metrics", b"400"),
        (b"\x16\x03\x01\x02\x00", b"400"),
        (b"", b"400"),
    ],
)
def test_only_get_of_metrics_is_served(server: MetricsServer, request_line: bytes, status: bytes) -> None:
    reply = exchange(server, request_line + b"\r\nHost: x\r\n\r\n")
    assert reply.split(b" ")[1] == status
    assert (b"libra_trials_sent_total" in reply) is (status == b"200")


def test_the_reply_is_compressed_and_in_the_format_that_the_client_accepts(server: MetricsServer) -> None:
    accepts = b"Accept: application/openmetrics-text; version=1.0.0\r\nAccept-Encoding: gzip\r\n"
    head, _, body = exchange(server, b"GET /metrics HTTP/1.1\r\n" + accepts + b"\r\n").partition(b"\r\n\r\n")
    assert b"application/openmetrics-text" in head
    assert gzip.decompress(body).endswith(b"# EOF\n")


@pytest.mark.parametrize("header", [b"X: " + b"a" * 20_000, b"X: a\r\n" * 4_000, b"a" * 60_000])
def test_a_large_request_is_refused(server: MetricsServer, header: bytes) -> None:
    assert b" 431 " in exchange(server, b"GET /metrics HTTP/1.1\r\n" + header + b"\r\n\r\n").split(b"\r\n")[0]


def test_a_request_line_without_an_end_is_refused(server: MetricsServer) -> None:
    assert exchange(server, b"G" * 9_000).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("sent", [b"", b"GET /metrics HTTP/1.1\r\n"])
def test_a_silent_client_is_disconnected(server: MetricsServer, sent: bytes) -> None:
    began = time.monotonic()
    assert exchange(server, sent).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 4


def test_a_client_that_sends_a_byte_now_and_then_is_disconnected(server: MetricsServer) -> None:
    began = time.monotonic()
    with connect(server) as client, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while time.monotonic() - began < 4:
            client.sendall(b"a")
            time.sleep(0.05)
    assert time.monotonic() - began < 4


def test_connections_above_the_limit_are_refused_and_later_ones_are_served(server: MetricsServer) -> None:
    before = threading.active_count()
    silent = [connect(server) for _ in range(3 * MAX_CONNECTIONS)]
    try:
        refused = exchange(server, b"GET /metrics HTTP/1.1\r\n\r\n")
        assert refused == b"" or refused.startswith(b"HTTP/1.1 503 ")
        assert threading.active_count() <= before + MAX_CONNECTIONS
    finally:
        for client in silent:
            client.close()
    deadline = time.monotonic() + 5
    while not exchange(server, b"GET /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 "):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_client_that_goes_away_costs_nothing(server: MetricsServer) -> None:
    for _ in range(3 * MAX_CONNECTIONS):
        connect(server).close()
    time.sleep(0.2)
    assert "libra_trials_sent_total" in fetch(server.port)
