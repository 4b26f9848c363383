"""All metrics, as attributes. Labels have few, known values: never the id of a run or a trial."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

CALL_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""From a look-up in memory to the longest deadline of a call."""

WORK_BUCKETS_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""From a batch that is judged by a rule to a stage's deadline."""


def process_registry() -> CollectorRegistry:
    """Return a registry with the metrics of the process itself: CPU, memory, open files, garbage collection."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class Metrics:
    """One attribute per metric, registered in the given registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._of_processes()
        self._of_calls()
        self._of_runs()
        self._of_stages()
        self._of_providers()
        self._of_verdicts()

    def _of_processes(self) -> None:
        self.ready = self._gauge("ready", "1 if the service is ready, else 0.", "service")

    def _of_calls(self) -> None:
        self.rpc_requests = self._counter("rpc_requests", "gRPC calls served, by status code.", "method", "code")
        self.rpc_seconds = self._times("rpc_seconds", "Duration of gRPC calls.", CALL_BUCKETS_SECONDS, "method")

    def _of_runs(self) -> None:
        self.runs_active = self._gauge("runs_active", "Runs that this replica of dispatch schedules.")
        self.trials_sent = self._counter("trials_sent", "Trials published, repeats included.", "model")

    def _of_stages(self) -> None:
        self.stage_batches = self._counter(
            "stage_batches", "Batches settled: done, retried, rejected or failed.", "stage", "outcome"
        )
        self.stage_trials = self._counter("stage_trials", "Trials of the batches done.", "stage", "model")
        self.stage_seconds = self._times(
            "stage_seconds", "Duration of one call of the handler.", WORK_BUCKETS_SECONDS, "stage"
        )
        self.stage_in_hand = self._gauge("stage_in_hand", "Batches being handled now.", "stage")
        self.stage_redeliveries = self._counter("stage_redeliveries", "Batches that were redelivered.", "stage")
        self.dead_letters = self._counter("dead_letters", "Batches dead-lettered.", "stage")
        self.backlog = self._gauge("backlog", "Messages not delivered yet.", "consumer")
        self.ack_pending = self._gauge("ack_pending", "Messages delivered and not acknowledged.", "consumer")

    def _of_providers(self) -> None:
        self.provider_requests = self._counter("provider_requests", "Requests to a provider.", "model", "outcome")
        self.provider_seconds = self._times(
            "provider_seconds", "Duration of one request to a provider.", WORK_BUCKETS_SECONDS, "model"
        )
        self.provider_in_flight = self._gauge("provider_in_flight", "Requests in flight now.", "model")
        self.provider_granted = self._gauge(
            "provider_granted", "Concurrent requests of the model's limit that this replica may use.", "model"
        )
        self.provider_tokens = self._counter(
            "provider_tokens", "Tokens by kind: prompt or completion.", "model", "kind"
        )
        self.provider_cost_usd = self._counter(
            "provider_cost_usd", "Cost in US dollars, by the prices of the model's entry.", "model"
        )
        self.completions_found = self._counter(
            "completions_found", "Completions read from the store, without a request.", "model"
        )

    def _of_verdicts(self) -> None:
        self.verdicts_judged = self._counter("verdicts_judged", "Trials judged.", "judge", "outcome")
        self.verdicts_written = self._counter("verdicts_written", "Verdicts written.", "model", "outcome")
        self.verdicts_repeated = self._counter("verdicts_repeated", "Verdicts that were stored already.")
        self.commit_seconds = self._times("commit_seconds", "Duration of one group commit.", CALL_BUCKETS_SECONDS)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"libra_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"libra_{name}", text, labels, registry=self._registry)

    def _times(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"libra_{name}", text, labels, registry=self._registry, buckets=buckets)
