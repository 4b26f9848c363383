"""Run the judge service."""

from __future__ import annotations

import asyncio

from libra.bus.streams import JUDGE_CONSUMER
from libra.judge.calibration.calibration_metrics import watch_calibrations
from libra.judge.judge_models.judge_model_client import GatewayJudgeModelClient
from libra.judge.service import JudgeService
from libra.judge.settings import Settings
from libra.judge.stage import stage
from libra.process import ServiceContext, Wiring, serve
from libra.stage.ended_runs import EndedRuns
from libra.stage.runner import run
from libra.v1.judge_pb2_grpc import add_JudgeServiceServicer_to_server


def wire(context: ServiceContext, settings: Settings) -> Wiring:
    """Build the service and its worker from the context that every process has."""
    model_client = GatewayJudgeModelClient(context.channel(settings.gateway_address), settings.gateway_timeout_seconds)
    ended_runs = EndedRuns(context.store.runs.get_state, settings.look_seconds)
    judge_stage = stage(settings, model_client, context.metrics, ended_runs)

    async def work(stop: asyncio.Event) -> None:
        await run(judge_stage, JUDGE_CONSUMER, context.bus, stop, context.metrics)

    async def watch(stop: asyncio.Event) -> None:
        await watch_calibrations(context.store.calibrations, context.metrics, stop)

    async def prepare() -> None:
        """Prepare nothing: the judges are code."""

    service = JudgeService(model_client, context.store.calibrations, context.metrics)
    services = [(add_JudgeServiceServicer_to_server, service, "libra.v1.JudgeService")]
    return Wiring(services=services, workers=[work, watch], prepare=prepare)


if __name__ == "__main__":
    raise SystemExit(serve("judge", settings=Settings, wire=wire))
