"""The metrics of one model's requests."""

from __future__ import annotations

from prometheus_client import Counter

from libra.gateway.provider.result import ProviderAnswer, ProviderResult
from libra.telemetry.metrics import Metrics


class ModelMetrics:
    """Records the requests of one model. Labels are looked up once."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        self._model = model
        self._metrics = metrics
        self._requests: dict[str, Counter] = {}
        self._seconds = metrics.provider_seconds.labels(model=model)
        self.in_flight = metrics.provider_in_flight.labels(model=model)
        self.allocated = metrics.provider_granted.labels(model=model)
        self._prompt_tokens = metrics.provider_tokens.labels(model=model, kind="prompt")
        self._completion_tokens = metrics.provider_tokens.labels(model=model, kind="completion")
        self._cost_usd = metrics.provider_cost_usd.labels(model=model)
        self.found = metrics.completions_found.labels(model=model)

    def record_request(self, result: ProviderResult, seconds: float) -> None:
        """Count one request by its outcome, and its duration."""
        self._by_outcome(result.outcome).inc()
        self._seconds.observe(seconds)

    def record_answer(self, answer: ProviderAnswer, cost_usd: float) -> None:
        """Count the tokens and the cost of one answer."""
        self._prompt_tokens.inc(answer.prompt_tokens)
        self._completion_tokens.inc(answer.completion_tokens)
        self._cost_usd.inc(cost_usd)

    def _by_outcome(self, outcome: str) -> Counter:
        if outcome not in self._requests:
            self._requests[outcome] = self._metrics.provider_requests.labels(model=self._model, outcome=outcome)
        return self._requests[outcome]
