"""Run the judge service."""

from __future__ import annotations

import asyncio

from libra.bus.streams import JUDGE_CONSUMER
from libra.judge.judge_model_client import GatewayAsk
from libra.judge.service import JudgeService
from libra.judge.settings import Settings
from libra.judge.stage import stage
from libra.process import ServiceContext, Wiring, serve
from libra.stage.ended_runs import EndedRuns
from libra.stage.runner import run
from libra.v1.judge_pb2_grpc import add_JudgeServiceServicer_to_server


def wire(parts: ServiceContext, settings: Settings) -> Wiring:
    """Put the service together from the parts that every process has."""
    ask = GatewayAsk(parts.channel(settings.gateway_address), settings.gateway_timeout_seconds)
    judging = stage(settings, ask, parts.metrics, EndedRuns(parts.store.runs.get_state, settings.look_seconds))

    async def work(stop: asyncio.Event) -> None:
        await run(judging, JUDGE_CONSUMER, parts.bus, stop, parts.metrics)

    async def prepare() -> None:
        """Nothing: the catalogue is code."""

    service = JudgeService(ask, parts.store.calibrations)
    services = [(add_JudgeServiceServicer_to_server, service, "libra.v1.JudgeService")]
    return Wiring(services=services, workers=[work], prepare=prepare)


if __name__ == "__main__":
    raise SystemExit(serve("judge", settings=Settings, wire=wire))
