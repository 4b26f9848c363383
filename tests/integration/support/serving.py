"""gRPC services on a free port, and channels to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
from prometheus_client import CollectorRegistry

from libra.gateway.components import Components
from libra.gateway.service import GatewayService
from libra.rpc.client import channel
from libra.rpc.server import RpcServer, ServedService
from libra.telemetry.metrics import Metrics
from libra.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server


@asynccontextmanager
async def serve(*services: ServedService, metrics: Metrics | None = None) -> AsyncIterator[grpc.aio.Channel]:
    """Serve gRPC services on a free port, and yield a channel to them."""
    server = RpcServer(services, metrics or Metrics(CollectorRegistry()))
    port = await server.start("127.0.0.1:0")
    await server.set_ready(ready=True)
    async with channel(f"127.0.0.1:{port}") as opened:
        yield opened
    await server.stop(0)


@asynccontextmanager
async def serve_gateway(components: Components, close_seconds: float = 0) -> AsyncIterator[grpc.aio.Channel]:
    """Serve a gateway, yield a channel to it, and close its components at the end."""
    service = GatewayService(components)
    async with serve((add_GatewayServiceServicer_to_server, service, "libra.v1.GatewayService")) as opened:
        yield opened
    await components.close(close_seconds)
