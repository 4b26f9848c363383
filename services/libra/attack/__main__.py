"""Run the attack service."""

from __future__ import annotations

import asyncio

from libra.attack.model_client import Gateway
from libra.attack.model_stage import writing
from libra.attack.service import AttackService
from libra.attack.settings import Settings
from libra.attack.stage import stage
from libra.bus.streams import ATTACK_CONSUMER, WRITING_CONSUMER
from libra.process import ServiceContext, Wiring, serve
from libra.stage.ended_runs import EndedRuns
from libra.stage.runner import run
from libra.v1.attack_pb2_grpc import add_AttackServiceServicer_to_server


def wire(parts: ServiceContext, settings: Settings) -> Wiring:
    """Put the service together from the parts that every process has."""
    gateway = Gateway(
        parts.channel(settings.gateway_address), settings.gateway_timeout_seconds, settings.questions_at_once
    )
    rewriting = stage(settings)
    asking = writing(settings, gateway.between, EndedRuns(parts.store.runs.get_state, settings.look_seconds))

    async def rewrite(stop: asyncio.Event) -> None:
        await run(rewriting, ATTACK_CONSUMER, parts.bus, stop, parts.metrics)

    async def write(stop: asyncio.Event) -> None:
        await run(asking, WRITING_CONSUMER, parts.bus, stop, parts.metrics)

    async def prepare() -> None:
        """Nothing: the catalogue is code."""

    services = [(add_AttackServiceServicer_to_server, AttackService(gateway.between), "libra.v1.AttackService")]
    return Wiring(services=services, workers=[rewrite, write], prepare=prepare)


if __name__ == "__main__":
    raise SystemExit(serve("attack", settings=Settings, wire=wire))
