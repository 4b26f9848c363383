"""Run the attack service."""

from __future__ import annotations

import asyncio

from libra.attack.model_client import GatewayClient
from libra.attack.model_stage import model_stage
from libra.attack.service import AttackService
from libra.attack.settings import Settings
from libra.attack.stage import stage
from libra.bus.streams import ATTACK_CONSUMER, WRITING_CONSUMER
from libra.process import ServiceContext, Wiring, serve
from libra.stage.ended_runs import EndedRuns
from libra.stage.runner import run
from libra.v1.attack_pb2_grpc import add_AttackServiceServicer_to_server


def wire(context: ServiceContext, settings: Settings) -> Wiring:
    """Build the service from the parts that every process has."""
    gateway = GatewayClient(
        context.channel(settings.gateway_address), settings.gateway_timeout_seconds, settings.questions_at_once
    )
    rules = stage(settings)
    models = model_stage(settings, gateway.connect, EndedRuns(context.store.runs.get_state, settings.look_seconds))

    async def work_on_rules(stop: asyncio.Event) -> None:
        await run(rules, ATTACK_CONSUMER, context.bus, stop, context.metrics)

    async def work_on_models(stop: asyncio.Event) -> None:
        await run(models, WRITING_CONSUMER, context.bus, stop, context.metrics)

    async def prepare() -> None:
        """Do nothing: the catalogue is code."""

    services = [(add_AttackServiceServicer_to_server, AttackService(gateway.connect), "libra.v1.AttackService")]
    return Wiring(services=services, workers=[work_on_rules, work_on_models], prepare=prepare)


if __name__ == "__main__":
    raise SystemExit(serve("attack", settings=Settings, wire=wire))
