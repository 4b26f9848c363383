"""Composition of the objects that the stage and the gRPC service share."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from libra.gateway.completion.completer import Completer
from libra.gateway.completion.model_client import ModelClient
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.model_cache import ModelCache
from libra.gateway.model_channel import ChannelObserver, ModelChannels
from libra.gateway.provider.registry import Providers
from libra.gateway.settings import Settings
from libra.stage.ended_runs import EndedRuns
from libra.store.client import Store
from libra.telemetry import tracing
from libra.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Components:
    """One per process: limits, connections and requests in flight are shared by the stage and all callers."""

    settings: Settings
    providers: Providers
    channels: ModelChannels
    models: ModelCache
    ended_runs: EndedRuns
    completer: Completer

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

        Without `leases`, this process uses the whole of each model's limits.
        """
        providers, channels = Providers(environment), ModelChannels(metrics, leases)
        writer = CompletionWriter(store.completions, settings.hold_seconds)
        # Jitter needs no cryptographic randomness; replicas only need to differ.
        model_client = ModelClient(providers, writer, settings.retry_policy(), random.random, tracing.tracer())
        return cls(
            settings=settings,
            providers=providers,
            channels=channels,
            models=ModelCache(store.models.list, settings.look_seconds),
            ended_runs=EndedRuns(store.runs.get_state, settings.look_seconds),
            completer=Completer(store.completions, model_client, writer, channels),
        )

    async def close(self, seconds: float) -> None:
        """Wait up to `seconds` for requests in flight to be answered and stored, then close the connections."""
        await self.completer.drain(seconds)
        await self.providers.close()
