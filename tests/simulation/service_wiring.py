"""The services wired as their `__main__` does it, on a simulated bus, store and provider."""

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
from libra.core.errors import Unavailable
from libra.dispatch.run_supervisor import RunSupervisor
from libra.dispatch.settings import Settings as DispatchSettings
from libra.gateway.adjustments.memory import AdjustmentMemory
from libra.gateway.budget.account import BudgetAccounts
from libra.gateway.budget.charge import is_over_budget
from libra.gateway.completion.answer_memory import AnswerMemory
from libra.gateway.completion.completer import Completer
from libra.gateway.completion.model_client import ModelClient
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_cache import ModelCache
from libra.gateway.model_channel import ModelChannels
from libra.gateway.model_supervisor import ModelSupervisor
from libra.gateway.parking.health_reporter import HealthReporter
from libra.gateway.parking.shared_park import SharedPark
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.quota.lease_manager import LeaseManager
from libra.gateway.quota.lease_renewer import LeaseTiming
from libra.gateway.settings import Settings as GatewaySettings
from libra.judge.settings import Settings as JudgeSettings
from libra.judge.stage import stage as judge_stage
from libra.process.context import Worker
from libra.ranking.run_event_publisher import RunEventPublisher
from libra.ranking.settings import Settings as RankingSettings
from libra.ranking.stage import commit_observer
from libra.ranking.stage import stage as ranking_stage
from libra.rpc.paging import PageTokens
from libra.stage.ended_runs import EndedRuns
from libra.stage.runner import Stage, run
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import TrialBatch
from libra.v1.completion_pb2 import GenerationParameters

METRICS = Metrics(CollectorRegistry())
"""Shared by all processes: a registry takes longer to create than a simulated process takes to run."""


@dataclass(frozen=True)
class SimulatedContext:
    """The dependencies of a simulated process."""

    store: Any
    """A MemoryStore. The services declare the store in MongoDB."""

    bus: Any
    """A SimulatedBus. The services declare the bus of NATS."""

    providers: Any
    clock: Callable[[], float]
    dispatch: DispatchSettings


def dispatch(context: SimulatedContext) -> list[Worker]:
    return [RunSupervisor(context.store, context.bus, METRICS, context.dispatch, context.clock).work]


def attack(context: SimulatedContext) -> list[Worker]:
    components, settings = gateway_components(context), AttackSettings()
    written_attacks = attack_model_stage(
        settings, components, EndedRuns(context.store.runs.get_state, settings.look_seconds)
    )

    async def run_model_stage(stop: asyncio.Event) -> None:
        await run(written_attacks, WRITING_CONSUMER, context.bus, stop, METRICS)
        await components.completer.drain(components.settings.drain_seconds)

    return [_runner(attack_stage(settings), ATTACK_CONSUMER, context), run_model_stage]


def attack_model_stage(settings: AttackSettings, components: Components, ended: EndedRuns) -> Stage[TrialBatch]:
    """Return the stage of attacks that a model writes; its requests are answered by these gateway components."""

    def ask_for(models: AttackModels) -> AskModel:
        async def ask(role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, epoch: int) -> ModelReply:
            parameters = GenerationParameters(temperature=temperature, json_schema=json_schema)
            entry = await components.models.get(models.model_for(role), field="model")
            request = CompletionRequest(entry, parameters, tuple(to_messages(turns)), epoch)
            account = components.budgets.of(models.budget_run) if models.budget_run else None
            completion = (await components.completer.complete([request], Lane.BATCH, account=account))[0]
            if is_over_budget(completion):
                raise Unavailable(completion.error)
            return to_model_reply(completion)

        return ask

    return model_stage(settings, ask_for, ended)


def gateway(context: SimulatedContext) -> list[Worker]:
    leases = LeaseManager(context.bus, LeaseTiming(GatewaySettings().renew_seconds))
    return [ModelSupervisor(gateway_components(context, leases), leases, context.bus, METRICS).work]


def gateway_components(context: SimulatedContext, leases: LeaseManager | None = None) -> Components:
    store, settings, ceilings = context.store, GatewaySettings(), BudgetAccounts(context.store.ceilings)
    channels = ModelChannels(METRICS, leases, ceilings=ceilings)
    writer = CompletionWriter(store.completions, settings.hold_seconds)
    adjustments = AdjustmentMemory(store.adjustments, settings.look_seconds)
    model_client = ModelClient(context.providers, writer, settings.retry_policy(), random.random, NoOpTracer())
    memory = AnswerMemory()
    return Components(
        settings=settings,
        providers=context.providers,
        channels=channels,
        models=ModelCache(store.models.list, settings.look_seconds),
        runs=store.runs,
        ended_runs=EndedRuns(store.runs.get_state, settings.look_seconds),
        adjustments=adjustments,
        completer=Completer(store.completions, model_client, writer, channels, adjustments, memory),
        model_client=model_client,
        page_tokens=PageTokens(no_calls),
        health=store.model_health,
        health_reporter=HealthReporter(
            store.model_health,
            SharedPark(store.parked_models),
            channels.list,
            lambda _: "",
        ),
        answer_memory=memory,
        budgets=BudgetAccounts(store.budgets),
        ceilings=ceilings,
        ceiling_ledgers=store.ceilings,
    )


async def no_calls() -> bytes:
    raise AssertionError("nobody calls the service of the simulated gateway")


def judge(context: SimulatedContext) -> list[Worker]:
    settings = JudgeSettings()
    stage = judge_stage(
        settings, no_judge_model, METRICS, EndedRuns(context.store.runs.get_state, settings.look_seconds)
    )
    return [_runner(stage, JUDGE_CONSUMER, context)]


def ranking(context: SimulatedContext) -> list[Worker]:
    settings = RankingSettings()
    publisher = RunEventPublisher(context.bus.signal, settings.signal_seconds)
    context.store.verdicts.add_observer(commit_observer(METRICS))
    stage = ranking_stage(context.store, publisher.mark_changed, settings)
    return [_runner(stage, RANKING_CONSUMER, context), publisher.run]


SERVICES: dict[str, Callable[[SimulatedContext], list[Worker]]] = {
    "dispatch": dispatch,
    "attack": attack,
    "gateway": gateway,
    "judge": judge,
    "ranking": ranking,
}


async def no_judge_model(
    model: str, conversations: Sequence[Any], *, json_schema: str, epoch: int, **_: Any
) -> list[Any]:
    """Stand in for a judge model, which no judge in these histories uses."""
    raise Unavailable("there is no judge model")


def _runner(stage: Stage[Any], consumer: str, context: SimulatedContext) -> Worker:
    async def work(stop: Any) -> None:
        await run(stage, consumer, context.bus, stop, METRICS)

    return work
