"""The metrics of one model's requests."""

from __future__ import annotations

from prometheus_client import Counter

from libra.core.response_names import ANSWERED
from libra.gateway.limits.limiter import Limiter
from libra.gateway.limits.request_budget import RequestLimits
from libra.gateway.provider.result import BlockCause, FaultKind, ProviderAnswer, ProviderResult
from libra.telemetry.metrics import Metrics

LIMIT_KINDS = ("in_flight", "requests_per_minute", "tokens_per_minute")
"""The values of the label `kind`, in the order of a quota."""


class ModelMetrics:
    """Records the requests of one model. Labels are looked up once."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        self._model = model
        self._metrics = metrics
        self._requests: dict[str, Counter] = {}
        self._seconds = metrics.provider_seconds.labels(model=model)
        self.in_flight = metrics.provider_in_flight.labels(model=model)
        self._show_counters()
        self.allocated = metrics.provider_granted.labels(model=model)
        self._prompt_tokens = metrics.provider_tokens.labels(model=model, kind="prompt")
        self._completion_tokens = metrics.provider_tokens.labels(model=model, kind="completion")
        self.ceiling_used = metrics.model_ceiling_used.labels(model=model)
        self._cost_usd = metrics.provider_cost_usd.labels(model=model)
        self.found = metrics.completions_found.labels(model=model)

    def show_limits(self, limits: RequestLimits, limiter: Limiter) -> None:
        """Show the model's limits, and at each scrape what this replica uses of them."""
        for kind, limit in zip(LIMIT_KINDS, limits.quota, strict=True):
            self._metrics.provider_limit.labels(model=self._model, kind=kind).set(limit)
        self._metrics.provider_concurrency.labels(model=self._model).set_function(lambda: limiter.concurrency)
        self._metrics.provider_waiting.labels(model=self._model).set_function(lambda: limiter.total_waiting)

    def _show_counters(self) -> None:
        """Show the counters at 0 whose increase is alerted on: an increase from nothing is not a rate."""
        for outcome in (ANSWERED, *FaultKind):
            self._by_outcome(str(outcome))

    def record_request(self, result: ProviderResult, seconds: float) -> None:
        """Count one request by its outcome, and its duration."""
        self._by_outcome(result.outcome).inc()
        self._seconds.observe(seconds)

    def record_answer(self, answer: ProviderAnswer, cost_usd: float) -> None:
        """Count the tokens and the cost of one answer."""
        self._prompt_tokens.inc(answer.prompt_tokens)
        self._completion_tokens.inc(answer.completion_tokens)
        if cost_usd:
            self._cost_usd.inc(cost_usd)

    def record_adjustment(self, parameter: str) -> None:
        """Count one parameter that this replica learned to send otherwise."""
        self._metrics.provider_adjustments.labels(model=self._model, parameter=parameter).inc()

    def set_parked(self, cause: BlockCause | None) -> None:
        """Show why the model is parked; None: it is not."""
        for each in BlockCause:
            parked = self._metrics.model_parked.labels(model=self._model, cause=each)
            parked.set(each is cause)

    def _by_outcome(self, outcome: str) -> Counter:
        if outcome not in self._requests:
            self._requests[outcome] = self._metrics.provider_requests.labels(model=self._model, outcome=outcome)
        return self._requests[outcome]
