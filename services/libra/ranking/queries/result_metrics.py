"""Shows in the metrics how old the boards are, and what the last audit found."""

from __future__ import annotations

import asyncio
import contextlib
import time

from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.ranking import audit
from libra.ranking.queries.auditor import AuditObserver
from libra.ranking.rounds.sample_audit import LAW_ROUND_SAMPLES
from libra.store.runs import RunCollection
from libra.telemetry.metrics import Metrics
from libra.v1.ranking_pb2 import AuditRunResponse

POLL_SECONDS = 15.0

LAW_LABELS = {
    audit.LAW_1_ONE_VERDICT: "one_verdict",
    audit.LAW_2_COMPLETIONS: "completions",
    audit.LAW_3_CELL_SUMS: "cell_sums",
    audit.LAW_4_ONE_JUDGE: "one_judge",
    audit.LAW_8_BUDGET: "budget",
    LAW_ROUND_SAMPLES: "round_samples",
}
"""The label of each law."""

PASSED, FAILED = "passed", "failed"


def record_audits(metrics: Metrics) -> AuditObserver:
    """Return the observer of audits; until the first audit, it shows every law without a violation."""
    for result in (PASSED, FAILED):
        metrics.audits.labels(result=result)
    for label in LAW_LABELS.values():
        metrics.audit_findings.labels(law=label).set(0)

    def record(response: AuditRunResponse) -> None:
        metrics.audits.labels(result=FAILED if response.findings else PASSED).inc()
        metrics.audit_timestamp_seconds.set(time.time())
        for law, label in LAW_LABELS.items():
            metrics.audit_findings.labels(law=label).set(sum(each.law == law for each in response.findings))

    return record


async def watch_boards(
    runs: RunCollection, metrics: Metrics, stop: asyncio.Event, *, poll_seconds: float = POLL_SECONDS
) -> None:
    """Show when the newest run of a board has ended, until told to stop."""
    while not stop.is_set():
        with contextlib.suppress(Unavailable):  # readiness reports it
            metrics.board_newest_run_timestamp_seconds.set(await runs.get_newest_end_seconds())
        await wait_until_set(stop, poll_seconds)
