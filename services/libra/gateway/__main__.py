"""Run the gateway service."""

from __future__ import annotations

from libra.gateway.components import Components
from libra.gateway.model_supervisor import ModelSupervisor
from libra.gateway.service import GatewayService
from libra.gateway.settings import Settings, environment
from libra.process import ServiceContext, Wiring, serve
from libra.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server


def wire(parts: ServiceContext, settings: Settings) -> Wiring:
    """Put the service together from the parts that every process has."""
    desk = Components.laid(parts.store, parts.metrics, settings, environment())
    supervisor = ModelSupervisor(desk, parts.bus, parts.metrics)

    async def prepare() -> None:
        """Nothing: the registry may be empty, and fill later."""

    services = [(add_GatewayServiceServicer_to_server, GatewayService(desk), "libra.v1.GatewayService")]
    return Wiring(services=services, workers=[supervisor.work], prepare=prepare)


if __name__ == "__main__":
    raise SystemExit(serve("gateway", settings=Settings, wire=wire))
