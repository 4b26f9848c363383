"""The channel to one model: limiter, metrics and trial budget, for as long as the registered model does not change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from libra.core.spending.daily_ceiling import has_ceiling
from libra.core.spending.model_price import price_of
from libra.gateway.budget.account import BudgetAccounts
from libra.gateway.budget.ceiling import ModelCeiling
from libra.gateway.limits.limiter import Limiter
from libra.gateway.limits.prefetch import TrialBudget
from libra.gateway.limits.request_budget import RequestLimits
from libra.gateway.parking.activity import ModelActivity
from libra.gateway.parking.gate import ModelGate
from libra.gateway.parking.park_state import Park
from libra.gateway.parking.policy import ParkPolicy
from libra.gateway.parking.shared_park import SharedPark
from libra.gateway.provider.model_metrics import ModelMetrics
from libra.telemetry.metrics import Metrics
from libra.v1.model_pb2 import Model


@dataclass(frozen=True, slots=True)
class Parking:
    """The policy for parking models."""

    policy: ParkPolicy = field(default_factory=ParkPolicy)
    shared: SharedPark | None = None
    """None: this process decides alone."""


class ModelChannel:
    """The state that all requests to one model share; the observer of its limiter and of its gate."""

    def __init__(
        self,
        model: Model,
        metrics: Metrics,
        parking: Parking | None = None,
        ceilings: BudgetAccounts | None = None,
    ) -> None:
        """Without `ceilings`, the model's ceiling per day does not hold."""
        self.model = model
        self.name = model.name
        self.limits = RequestLimits.of(model.limits)
        self.price = price_of(model)
        """The price that is used; None if none is known."""
        self.ceiling = ModelCeiling(ceilings, model) if ceilings is not None and has_ceiling(model) else None
        """Limits the spending of a day; None: nothing does."""
        self.metrics = ModelMetrics(metrics, model.name)
        self.trial_budget = TrialBudget(self.limits.in_flight)
        self.limiter = Limiter(self.limits, observer=self)
        self.metrics.show_limits(self.limits, self.limiter)
        self.activity = ModelActivity()
        parking = parking or Parking()
        self.gate = ModelGate(model.name, parking.policy, self.limiter, self, parking.shared)
        self.starved = asyncio.Event()
        """Set when a request waits and the quota of this replica allows none. The lease renewer waits for it and clears
        it."""

    def on_allocation(self, in_flight: int) -> None:
        """Prefetch as many trials as the new quota needs."""
        self.trial_budget.resize(in_flight)

    def on_park_changed(self, park: Park | None) -> None:
        """Show in the metrics whether the model is parked."""
        self.metrics.set_parked(park.cause if park else None)

    def show_ceiling(self) -> None:
        """Show in the metrics how much of today's ceiling is used."""
        if self.ceiling is not None:
            self.metrics.ceiling_used.set(self.ceiling.used_share())

    def close(self) -> None:
        """Send no more requests of batches."""
        self.limiter.close()
        self.gate.close()

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

    def __init__(
        self,
        metrics: Metrics,
        observer: ChannelObserver | None = None,
        parking: Parking | None = None,
        ceilings: BudgetAccounts | None = None,
    ) -> None:
        self._metrics, self._parking, self._ceilings = metrics, parking, ceilings
        self._observer = observer
        self._by_name: dict[str, ModelChannel] = {}

    def get(self, model: Model) -> ModelChannel:
        """Return the channel to a model, which the first call creates."""
        channel = self._by_name.get(model.name)
        if channel is None or channel.model != model:
            if channel is not None:
                self.retire(channel)
            channel = self._by_name[model.name] = ModelChannel(model, self._metrics, self._parking, self._ceilings)
            if self._observer:
                self._observer.on_created(channel)
        return channel

    def list(self) -> Sequence[ModelChannel]:
        """Return every channel."""
        return list(self._by_name.values())

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
