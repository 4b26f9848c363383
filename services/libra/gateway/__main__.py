"""Run the gateway service."""

from __future__ import annotations

from libra.gateway.components import Components
from libra.gateway.model_supervisor import ModelSupervisor
from libra.gateway.quota.lease_manager import LeaseManager
from libra.gateway.quota.lease_renewer import LeaseTiming
from libra.gateway.service import GatewayService
from libra.gateway.settings import Settings, environment
from libra.process import ServiceContext, Wiring, serve
from libra.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server


def wire(context: ServiceContext, settings: Settings) -> Wiring:
    """Build the service from what every process has."""
    leases = LeaseManager(context.bus, LeaseTiming(settings.renew_seconds), context.store.lease_holders)
    components = Components.create(context.store, context.metrics, settings, environment(), leases)
    supervisor = ModelSupervisor(components, leases, context.bus, context.metrics)

    async def prepare() -> None:
        """Nothing: models may be registered later."""

    services = [(add_GatewayServiceServicer_to_server, GatewayService(components), "libra.v1.GatewayService")]
    return Wiring(services=services, workers=[supervisor.work, components.health_reporter.work], prepare=prepare)


if __name__ == "__main__":
    raise SystemExit(serve("gateway", settings=Settings, wire=wire))
