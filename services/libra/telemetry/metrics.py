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
        self._of_queues()
        self._of_providers()
        self._of_limits()
        self._of_verdicts()
        self._of_judges()
        self._of_results()
        self._of_pages()
        self._of_the_arena()

    def _of_processes(self) -> None:
        self.ready = self._gauge("ready", "1 if the service is ready, else 0.", "service")
        self.build_info = self._gauge(
            "build_info", "1; the labels are the service and its versions.", "service", "version", "python"
        )
        self.dependency_errors = self._counter(
            "dependency_errors", "Requests to nats or mongodb that failed because it could not be used.", "dependency"
        )

    def _of_calls(self) -> None:
        self.rpc_requests = self._counter("rpc_requests", "gRPC calls served, by status code.", "method", "code")
        self.rpc_seconds = self._times("rpc_seconds", "Duration of gRPC calls.", CALL_BUCKETS_SECONDS, "method")

    def _of_runs(self) -> None:
        self.runs_active = self._gauge("runs_active", "Runs that this replica of dispatch schedules.")
        self.budget_projected_ratio = self._gauge(
            "budget_projected_ratio",
            "The highest projected cost of a run of this replica at its end, divided by its budget; 0 without budgets.",
        )
        self.trials_sent = self._counter("trials_sent", "Trials published, repeats included.", "model")
        self.trials_resent = self._counter(
            "trials_resent", "Trials published again because they had no verdict and no queue held them.", "model"
        )
        self.trials_given_up = self._counter(
            "trials_given_up", "Trials declared failed after they were sent again without a verdict.", "model"
        )
        self.firings = self._counter("firings", "Firings of schedules: started, skipped or failed.", "result")
        self.webhook_deliveries = self._counter(
            "webhook_deliveries",
            "Attempts to deliver an event: delivered, postponed after a failure, or dead.",
            "result",
        )

    def _of_stages(self) -> None:
        self.stage_batches = self._counter(
            "stage_batches", "Batches settled: done, retried, rejected or failed.", "stage", "outcome"
        )
        self.stage_trials = self._counter("stage_trials", "Trials of the batches done.", "stage", "model")
        self.stage_seconds = self._times(
            "stage_seconds", "Duration of one call of the handler.", WORK_BUCKETS_SECONDS, "stage"
        )
        self.stage_in_hand = self._gauge("stage_in_hand", "Batches being handled now.", "stage")
        self.stage_slots = self._gauge("stage_slots", "Batches that this replica may handle at the same time.", "stage")
        self.stage_redeliveries = self._counter("stage_redeliveries", "Batches that were redelivered.", "stage")
        self.dead_letters = self._counter("dead_letters", "Batches dead-lettered.", "stage")

    def _of_queues(self) -> None:
        """Declare what the one replica of dispatch exports that holds the lease to observe the queues."""
        self.backlog = self._gauge("backlog", "Messages not delivered yet.", "consumer")
        self.ack_pending = self._gauge("ack_pending", "Messages delivered and not acknowledged.", "consumer")
        self.ack_pending_limit = self._gauge(
            "ack_pending_limit",
            "Messages that may be delivered and not acknowledged; at it, delivery stops.",
            "consumer",
        )
        self.deliveries_settled = self._gauge(
            "deliveries_settled", "Deliveries that have ended since the consumer was created.", "consumer"
        )
        self.oldest_message_age_seconds = self._gauge(
            "oldest_message_age_seconds",
            "Age of the oldest message that is not acknowledged; 0 without one.",
            "consumer",
        )
        self.behind_seconds = self._gauge(
            "behind_seconds",
            "Time to empty the queue at the rate of the last minutes; at least the age of its oldest message.",
            "consumer",
        )
        self.stream_bytes = self._gauge("stream_bytes", "Size of a stream on disk.", "stream")
        self.stream_limit_bytes = self._gauge("stream_limit_bytes", "Maximum size of a stream.", "stream")
        self.dead_letters_stored = self._gauge("dead_letters_stored", "Dead letters that wait for a replay.", "stage")
        self.store_bytes = self._gauge("store_bytes", "Space that MongoDB uses for data and indexes.")
        self.store_disk_used_bytes = self._gauge("store_disk_used_bytes", "Used space of the file system of MongoDB.")
        self.store_disk_bytes = self._gauge("store_disk_bytes", "Size of the file system of MongoDB.")

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
            "provider_cost_usd", "Cost in US dollars, without answers whose price or usage is unknown.", "model"
        )
        self.provider_adjustments = self._counter(
            "provider_adjustments",
            "Parameters that are sent otherwise because the endpoint refuses them, as learned.",
            "model",
            "parameter",
        )
        self.model_parked = self._gauge(
            "model_parked", "1 if no request is sent to the model but probes, for this cause, else 0.", "model", "cause"
        )
        self.model_ceiling_used = self._gauge(
            "model_ceiling_used", "Share of the model's ceiling of this UTC day that is spent or reserved.", "model"
        )
        self.completions_found = self._counter(
            "completions_found", "Completions read from the store, without a request.", "model"
        )

    def _of_limits(self) -> None:
        self.provider_limit = self._gauge(
            "provider_limit",
            "Limits of the model for all replicas together, by kind: in_flight, and requests or tokens per minute; "
            "0: none.",
            "model",
            "kind",
        )
        self.provider_concurrency = self._gauge(
            "provider_concurrency", "Concurrent requests that this replica sends at most, as adapted.", "model"
        )
        self.provider_waiting = self._gauge("provider_waiting", "Requests that wait for a permit.", "model")

    def _of_verdicts(self) -> None:
        self.verdicts_judged = self._counter("verdicts_judged", "Trials judged.", "judge", "outcome", "response")
        self.verdicts_written = self._counter("verdicts_written", "Verdicts written.", "model", "outcome")
        self.verdicts_repeated = self._counter("verdicts_repeated", "Verdicts that were stored already.")
        self.commit_seconds = self._times("commit_seconds", "Duration of one group commit.", CALL_BUCKETS_SECONDS)

    def _of_judges(self) -> None:
        self.judge_agreement = self._gauge(
            "judge_agreement",
            "Share of labelled answers on which the judge agreed with people, when last measured.",
            "judge",
        )
        self.judge_calibration_timestamp_seconds = self._gauge(
            "judge_calibration_timestamp_seconds", "When the judge was last calibrated, in seconds since 1970.", "judge"
        )
        self.judge_drift_changed = self._gauge(
            "judge_drift_changed", "Share of labelled answers that the judge called otherwise than before.", "judge"
        )

    def _of_results(self) -> None:
        self.board_newest_run_timestamp_seconds = self._gauge(
            "board_newest_run_timestamp_seconds",
            "When the newest run of a board has ended, in seconds since 1970; 0: no run has.",
        )
        self.audits = self._counter("audits", "Audits of runs, by result: passed or failed.", "result")
        self.audit_findings = self._gauge("audit_findings", "Violations that the last audit found, by law.", "law")
        self.audit_timestamp_seconds = self._gauge(
            "audit_timestamp_seconds", "When the last audit ended, in seconds since 1970."
        )

    def _of_pages(self) -> None:
        self.web_requests = self._counter("web_requests", "Requests for pages, by status.", "page", "status")
        self.web_seconds = self._times("web_seconds", "Duration of requests for pages.", CALL_BUCKETS_SECONDS, "page")
        self.web_refusals = self._counter(
            "web_refusals", "Requests refused: a foreign host or site, or a form without our token.", "reason"
        )

    def _of_the_arena(self) -> None:
        self.arena_battles = self._counter("arena_battles", "Battles started.")
        self.arena_turns = self._counter(
            "arena_turns", "Turns of battles that have ended: answered by both models, or failed.", "result"
        )
        self.arena_votes = self._counter("arena_votes", "Votes stored.")
        self.arena_refusals = self._counter(
            "arena_refusals",
            "Ballots refused: forged, expired, used, revealed, failed or unanswered; battles refused: limit or proof.",
            "reason",
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"libra_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"libra_{name}", text, labels, registry=self._registry)

    def _times(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"libra_{name}", text, labels, registry=self._registry, buckets=buckets)
