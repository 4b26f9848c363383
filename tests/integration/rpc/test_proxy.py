"""Services call each other directly, whatever proxy the environment names for requests to models."""

from __future__ import annotations

import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub
from prometheus_client import CollectorRegistry

from libra.rpc.client import channel
from libra.rpc.server import RpcServer
from libra.telemetry.metrics import Metrics


async def test_a_proxy_in_the_environment_is_not_used_for_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server = RpcServer([], Metrics(CollectorRegistry()))
    port = await server.start("127.0.0.1:0")
    await server.set_ready(ready=True)
    async with channel(f"127.0.0.1:{port}") as opened:
        assert (await HealthStub(opened).Check(HealthCheckRequest(), timeout=5)).status == 1
    await server.stop(0)
