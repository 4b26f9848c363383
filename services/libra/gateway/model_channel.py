"""The channel to one model: limiter, metrics and trial budget, for as long as the registered model does not change."""

from __future__ import annotations

import asyncio
from typing import Protocol

from libra.gateway.limits.limiter import Limiter
from libra.gateway.limits.prefetch import TrialBudget
from libra.gateway.limits.request_budget import RequestLimits
from libra.gateway.provider.model_metrics import ModelMetrics
from libra.telemetry.metrics import Metrics
from libra.v1.model_pb2 import Model


class ModelChannel:
    """The state that all requests to one model share; the `QuotaObserver` of its limiter."""

    def __init__(self, model: Model, metrics: Metrics) -> None:
        self.model = model
        self.limits = RequestLimits.of(model.limits)
        self.metrics = ModelMetrics(metrics, model.name)
        self.trial_budget = TrialBudget(self.limits.in_flight)
        self.limiter = Limiter(self.limits, observer=self)
        self.starved = asyncio.Event()
        """Set when a request waits and the quota of this replica allows none. The lease renewer waits for it and clears
        it."""

    def on_allocation(self, in_flight: int) -> None:
        """Prefetch as many trials as the new quota needs."""
        self.trial_budget.resize(in_flight)

    def on_starved(self) -> None:
        """Let the lease renewer know."""
        self.starved.set()


class ChannelObserver(Protocol):
    """Learns when channels are created and retired."""

    def on_created(self, channel: ModelChannel) -> None:
        """The channel exists, and no request has used it yet."""

    def on_retired(self, channel: ModelChannel) -> None:
        """The channel gets no new requests."""


class ModelChannels:
    """The channel to each model. A model that was registered again with other content gets a new channel."""

    def __init__(self, metrics: Metrics, observer: ChannelObserver | None = None) -> None:
        self._metrics = metrics
        self._observer = observer
        self._by_name: dict[str, ModelChannel] = {}

    def get(self, model: Model) -> ModelChannel:
        """Return the channel to a model, which the first call creates."""
        channel = self._by_name.get(model.name)
        if channel is None or channel.model != model:
            if channel is not None:
                self.retire(channel)
            channel = self._by_name[model.name] = ModelChannel(model, self._metrics)
            if self._observer:
                self._observer.on_created(channel)
        return channel

    def in_flight(self, name: str) -> int:
        """Return how many requests are in flight to a model."""
        channel = self._by_name.get(name)
        return channel.limiter.in_flight if channel else 0

    def retire(self, channel: ModelChannel) -> None:
        """Forget the channel to a deleted model. Requests in flight are still answered."""
        if self._by_name.get(channel.model.name) is channel:
            del self._by_name[channel.model.name]
            if self._observer:
                self._observer.on_retired(channel)
