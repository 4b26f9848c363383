"""The line to one model: its limiter and its meter, for as long as its entry stands."""

from __future__ import annotations

from collections.abc import Callable

from libra.gateway.limits.limiter import Limiter, Limits
from libra.gateway.provider.model_metrics import ModelMetrics
from libra.telemetry.metrics import Metrics
from libra.v1.model_pb2 import Model


class ModelChannel:
    """What all requests to one model go through."""

    def __init__(self, model: Model, metrics: Metrics) -> None:
        self.model = model
        self.limits = Limits.of(model.limits)
        self.limiter = Limiter(self.limits)
        self.meter = ModelMetrics(metrics, model.name)


class ModelChannels:
    """The line to each model; an entry with another content under the same name gets a new one."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._by_name: dict[str, ModelChannel] = {}
        self.on_laid: Callable[[ModelChannel], None] = lambda _: None
        """Called with each line before it is used."""
        self.on_forgotten: Callable[[ModelChannel], None] = lambda _: None
        """Called with each line that is not used for anything new."""

    def to(self, model: Model) -> ModelChannel:
        """Return the line to a model, laid at the first call."""
        line = self._by_name.get(model.name)
        if line is None or line.model != model:
            if line is not None:
                self.on_forgotten(line)
            line = self._by_name[model.name] = ModelChannel(model, self._metrics)
            self.on_laid(line)
        return line

    def in_flight(self, name: str) -> int:
        """Return how many requests are under way to a model."""
        line = self._by_name.get(name)
        return line.limiter.in_flight if line else 0

    def forget(self, line: ModelChannel) -> None:
        """Let go of the line to a model that is gone; requests under way end as they would."""
        if self._by_name.get(line.model.name) is line:
            del self._by_name[line.model.name]
            self.on_forgotten(line)
