"""The parts of the room, put together: what the stage and the servicer both work with."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from libra.gateway.completion.completions import Completions
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.model_cache import ModelCache
from libra.gateway.model_channel import ModelChannels
from libra.gateway.model_client import ModelClient
from libra.gateway.provider.registry import Providers
from libra.gateway.settings import Settings
from libra.stage.ended_runs import EndedRuns
from libra.store.client import Store
from libra.telemetry import tracing
from libra.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Components:
    """One a process: limits, connections and requests under way are shared by everyone who asks."""

    settings: Settings
    providers: Providers
    lines: ModelChannels
    entries: ModelCache
    ended: EndedRuns
    completions: Completions

    @classmethod
    def laid(cls, store: Store, metrics: Metrics, settings: Settings, environment: Mapping[str, str]) -> Self:
        """Return a desk over the store; keys are looked up in `environment` as they are needed."""
        providers, lines = Providers(environment), ModelChannels(metrics)
        keeper = CompletionWriter(store.completions, settings.hold_seconds)
        # Jitter needs no secrecy, only that replicas differ.
        asker = ModelClient(providers, keeper, settings.retry_policy(), random.random, tracing.tracer())
        return cls(
            settings=settings,
            providers=providers,
            lines=lines,
            entries=ModelCache(store.models.list, settings.look_seconds),
            ended=EndedRuns(store.runs.get_state, settings.look_seconds),
            completions=Completions(store.completions, asker, keeper, lines),
        )

    async def close(self, seconds: float) -> None:
        """Give the requests under way so long to be answered and kept, then let go of the connections."""
        await self.completions.settle(seconds)
        await self.providers.close()
