"""Composition of the objects that the stage and the gRPC service share."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from libra.gateway.adjustments.memory import AdjustmentMemory
from libra.gateway.budget.account import BudgetAccounts
from libra.gateway.completion.answer_memory import AnswerMemory
from libra.gateway.completion.completer import Completer
from libra.gateway.completion.model_client import ModelClient
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.model_cache import ModelCache
from libra.gateway.model_channel import ChannelObserver, ModelChannels, Parking
from libra.gateway.parking.health_reporter import HealthReporter
from libra.gateway.parking.shared_park import SharedPark
from libra.gateway.provider.http.network import HttpLimits, network
from libra.gateway.provider.http.tls import TlsFiles
from libra.gateway.provider.keys.model_keys import ModelKeys
from libra.gateway.provider.registry import Providers
from libra.gateway.settings import Settings
from libra.rpc.paging import PageTokens
from libra.stage.ended_runs import EndedRuns
from libra.store.client import Store
from libra.store.coordination.budgets import BudgetCollection
from libra.store.models.health import HealthCollection
from libra.store.runs import RunCollection
from libra.telemetry import tracing
from libra.telemetry.metrics import Metrics

MIB = 1024 * 1024

SETTLE_SECONDS = 2.0
"""A replica that stops tries for this time to settle its last requests. Others count the rest as spent."""


@dataclass(frozen=True, slots=True)
class Components:
    """One per process: limits, connections and requests in flight are shared by the stage and all callers."""

    settings: Settings
    providers: Providers
    channels: ModelChannels
    models: ModelCache
    runs: RunCollection
    ended_runs: EndedRuns
    adjustments: AdjustmentMemory
    completer: Completer
    model_client: ModelClient
    page_tokens: PageTokens
    health: HealthCollection
    health_reporter: HealthReporter
    answer_memory: AnswerMemory
    budgets: BudgetAccounts
    ceilings: BudgetAccounts
    ceiling_ledgers: BudgetCollection

    @classmethod
    def create(
        cls,
        store: Store,
        metrics: Metrics,
        settings: Settings,
        environment: Mapping[str, str],
        leases: ChannelObserver | None = None,
    ) -> Self:
        """Create the components over a store. API keys are looked up in `environment` when they are needed.

        Without `leases`, this process uses the whole of each model's limits. Raises InvalidSettings.
        """
        keys = ModelKeys(environment, settings.key_rules(), settings.key_folder, store.key_hosts.bind)
        files = TlsFiles(settings.ca_file, settings.client_cert_file, settings.client_key_file)
        limits = HttpLimits(stall_seconds=settings.stream_stall_seconds)
        providers = Providers(keys, network(settings.address_policy(), environment, files, limits))
        shared = SharedPark(store.parked_models)
        ceilings = BudgetAccounts(store.ceilings)
        channels = ModelChannels(metrics, leases, Parking(settings.park_policy(), shared), ceilings)
        adjustments = AdjustmentMemory(store.adjustments, settings.look_seconds)
        memory = AnswerMemory(settings.answer_memory_mib * MIB)
        writer = CompletionWriter(store.completions, settings.hold_seconds)
        # Jitter needs no cryptographic randomness; replicas only need to differ.
        model_client = ModelClient(providers, writer, settings.retry_policy(), random.random, tracing.tracer())
        return cls(
            settings=settings,
            providers=providers,
            channels=channels,
            models=ModelCache(store.models.list, settings.look_seconds),
            runs=store.runs,
            ended_runs=EndedRuns(store.runs.get_state, settings.look_seconds),
            adjustments=adjustments,
            completer=Completer(store.completions, model_client, writer, channels, adjustments, memory),
            model_client=model_client,
            page_tokens=PageTokens(store.load_page_token_key),
            health=store.model_health,
            health_reporter=HealthReporter(store.model_health, shared, channels.list, providers.problem_of),
            answer_memory=memory,
            budgets=BudgetAccounts(store.budgets),
            ceilings=ceilings,
            ceiling_ledgers=store.ceilings,
        )

    async def close(self, seconds: float) -> None:
        """Wait up to `seconds` for requests in flight to be answered and stored, then close the connections."""
        await self.completer.drain(seconds)
        await asyncio.gather(self.budgets.drain(SETTLE_SECONDS), self.ceilings.drain(SETTLE_SECONDS))
        await self.providers.close()
