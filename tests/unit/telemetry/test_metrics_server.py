"""/metrics serves the given registry and no other."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from libra.telemetry.metrics import Metrics
from libra.telemetry.metrics_server import MetricsServer


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
