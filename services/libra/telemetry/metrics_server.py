"""Serve the metrics of a registry at GET /metrics, from a separate thread."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Thread
from typing import Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """The server of prometheus-client. It replies even while the event loop is busy."""

    server: WSGIServer
    thread: Thread

    @classmethod
    def start(cls, registry: CollectorRegistry, host: str, port: int) -> Self:
        """Listen on `host`:`port`, 0 for any free port; raise OSError if that fails."""
        return cls(*start_http_server(port, host, registry))

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.server.server_port

    def stop(self) -> None:
        """Stop listening and close the port."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
