"""What one model's requests add to the metrics."""

from __future__ import annotations

from prometheus_client import Counter

from libra.gateway.provider.result import Answer, Reply
from libra.telemetry.metrics import Metrics
from libra.v1.model_pb2 import Model

MILLION = 1_000_000


class ModelMetrics:
    """The metrics of one model; their labels are looked up once."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        self._model = model
        self._metrics = metrics
        self._requests: dict[str, Counter] = {}
        self.seconds = metrics.provider_seconds.labels(model=model)
        self.in_flight = metrics.provider_in_flight.labels(model=model)
        self.granted = metrics.provider_granted.labels(model=model)
        self._prompt_tokens = metrics.provider_tokens.labels(model=model, kind="prompt")
        self._completion_tokens = metrics.provider_tokens.labels(model=model, kind="completion")
        self._cost_usd = metrics.provider_cost_usd.labels(model=model)
        self.found = metrics.completions_found.labels(model=model)

    def asked(self, reply: Reply, seconds: float) -> None:
        """Take in one request."""
        self._of(reply.outcome).inc()
        self.seconds.observe(seconds)

    def answered(self, answer: Answer, cost_usd: float) -> None:
        """Take in one answer."""
        self._prompt_tokens.inc(answer.prompt_tokens)
        self._completion_tokens.inc(answer.completion_tokens)
        self._cost_usd.inc(cost_usd)

    def _of(self, outcome: str) -> Counter:
        if outcome not in self._requests:
            self._requests[outcome] = self._metrics.provider_requests.labels(model=self._model, outcome=outcome)
        return self._requests[outcome]


def cost_usd(model: Model, answer: Answer) -> float:
    """Return what the answer cost, in US dollars, by the price of the model's entry."""
    price = model.price
    prompt = answer.prompt_tokens * price.usd_per_million_prompt_tokens
    return (prompt + answer.completion_tokens * price.usd_per_million_completion_tokens) / MILLION
