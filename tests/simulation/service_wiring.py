"""The services as their own `__main__` wires them, on what the simulation has in the place of servers and providers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry

from libra.attack.attack_session import AskModel, ModelReply, ModelRole
from libra.attack.conversation import Turns
from libra.attack.model_client import AttackModels, to_model_reply
from libra.attack.model_stage import model_stage
from libra.attack.proto_mapping import to_messages
from libra.attack.settings import Settings as AttackSettings
from libra.attack.stage import stage as attack_stage
from libra.bus.streams import ATTACK_CONSUMER, JUDGE_CONSUMER, RANKING_CONSUMER, WRITING_CONSUMER
from libra.dispatch.run_supervisor import RunSupervisor
from libra.dispatch.settings import Settings as DispatchSettings
from libra.errors import Unavailable
from libra.gateway.completion.completer import Completer
from libra.gateway.completion.model_client import ModelClient
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_cache import ModelCache
from libra.gateway.model_channel import ModelChannels
from libra.gateway.model_supervisor import ModelSupervisor
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.quota.lease_manager import LeaseManager
from libra.gateway.quota.lease_renewer import LeaseTiming
from libra.gateway.settings import Settings as GatewaySettings
from libra.judge.settings import Settings as JudgeSettings
from libra.judge.stage import stage as judge_stage
from libra.process.context import Worker
from libra.ranking.commit_metrics import recorder
from libra.ranking.run_event_publisher import RunEventPublisher
from libra.ranking.settings import Settings as RankingSettings
from libra.ranking.stage import stage as ranking_stage
from libra.stage.ended_runs import EndedRuns
from libra.stage.runner import Stage, run
from libra.telemetry.metrics import Metrics
from libra.testing.memory import MemoryStore
from libra.v1.batch_pb2 import TrialBatch
from libra.v1.completion_pb2 import GenerationParameters

from .simulated_bus import Wire

METRICS = Metrics(CollectorRegistry())
"""One for all: a registry costs more than all that a simulated process does."""


@dataclass(frozen=True)
class Means:
    """What a process is given."""

    store: MemoryStore
    wire: Wire
    providers: Any
    clock: Callable[[], float]
    dispatch: DispatchSettings


def dispatch(means: Means) -> list[Worker]:
    return [RunSupervisor(means.store, means.wire, METRICS, means.dispatch, means.clock).work]  # type: ignore[arg-type]  # a store and a bus in memory


def attack(means: Means) -> list[Worker]:
    desk, settings = gateway_desk(means), AttackSettings()
    asking = writing_stage(settings, desk, EndedRuns(means.store.runs.state, settings.look_seconds))

    async def write(stop: asyncio.Event) -> None:
        await run(asking, WRITING_CONSUMER, means.wire, stop, METRICS)
        await desk.completer.drain(desk.settings.drain_seconds)

    return [_runner(attack_stage(settings), ATTACK_CONSUMER, means), write]


def writing_stage(settings: AttackSettings, desk: Components, ended: EndedRuns) -> Stage[TrialBatch]:
    """Return the stage; what it asks is answered at this desk, as a gateway would answer a call."""

    def between(parties: AttackModels) -> AskModel:
        async def ask(role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, epoch: int) -> ModelReply:
            parameters = GenerationParameters(temperature=temperature, json_schema=json_schema)
            entry = await desk.models.get(parties.model_for(role), field="model")
            question = CompletionRequest(entry, parameters, tuple(to_messages(turns)), epoch)
            return to_model_reply((await desk.completer.complete([question], Lane.BATCH))[0])

        return ask

    return model_stage(settings, between, ended)


def gateway(means: Means) -> list[Worker]:
    leases = LeaseManager(means.wire, LeaseTiming(GatewaySettings().renew_seconds))  # type: ignore[arg-type]  # as above
    return [ModelSupervisor(gateway_desk(means, leases), leases, means.wire, METRICS).work]  # type: ignore[arg-type]  # as above


def gateway_desk(means: Means, leases: LeaseManager | None = None) -> Components:
    store, settings, channels = means.store, GatewaySettings(), ModelChannels(METRICS, leases)
    writer = CompletionWriter(store.completions, settings.hold_seconds)  # type: ignore[arg-type]  # completions in memory
    model_client = ModelClient(means.providers, writer, settings.retry_policy(), random.random, NoOpTracer())
    return Components(
        settings=settings,
        providers=means.providers,
        channels=channels,
        models=ModelCache(store.models.list, settings.look_seconds),
        ended_runs=EndedRuns(store.runs.state, settings.look_seconds),
        completer=Completer(store.completions, model_client, writer, channels),  # type: ignore[arg-type]  # as above
    )


def judge(means: Means) -> list[Worker]:
    settings = JudgeSettings()
    judging = judge_stage(settings, nobody, METRICS, EndedRuns(means.store.runs.state, settings.look_seconds))
    return [_runner(judging, JUDGE_CONSUMER, means)]


def ranking(means: Means) -> list[Worker]:
    settings = RankingSettings()
    announcer = RunEventPublisher(means.wire.signal, settings.signal_seconds)
    means.store.verdicts.observe(recorder(METRICS))
    stage = ranking_stage(means.store, announcer.moved, settings)  # type: ignore[arg-type]  # a store in memory
    return [_runner(stage, RANKING_CONSUMER, means), announcer.work]


SERVICES: dict[str, Callable[[Means], list[Worker]]] = {
    "dispatch": dispatch,
    "attack": attack,
    "gateway": gateway,
    "judge": judge,
    "ranking": ranking,
}


async def nobody(model: str, conversations: Sequence[Any], *, json_schema: str, epoch: int) -> list[Any]:
    """No judge here asks a model."""
    raise Unavailable("there is no judge model")


def _runner(stage: Stage[Any], consumer: str, means: Means) -> Worker:
    async def work(stop: Any) -> None:
        await run(stage, consumer, means.wire, stop, METRICS)

    return work
