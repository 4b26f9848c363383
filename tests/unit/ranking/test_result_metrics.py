"""The last audit is shown by law, and a passed audit ends what a failed one has shown."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from libra.ranking import audit
from libra.ranking.queries.result_metrics import LAW_LABELS, record_audits
from libra.ranking.rounds.sample_audit import LAW_ROUND_SAMPLES
from libra.telemetry.metrics import Metrics
from libra.v1.ranking_pb2 import AuditFinding, AuditRunResponse

LAWS = {value for name, value in vars(audit).items() if name.startswith("LAW_") and isinstance(value, str)}


def test_every_law_has_a_label() -> None:
    assert set(LAW_LABELS) == LAWS | {LAW_ROUND_SAMPLES}


def test_the_last_audit_counts() -> None:
    registry = CollectorRegistry()
    record = record_audits(Metrics(registry))

    def findings() -> float | None:
        return registry.get_sample_value("libra_audit_findings", {"law": "cell_sums"})

    assert findings() == 0
    finding = AuditFinding(law=audit.LAW_3_CELL_SUMS, message="2 cells differ")
    record(AuditRunResponse(findings=[finding, finding]))
    assert findings() == 2
    record(AuditRunResponse())
    assert findings() == 0
    counts = [registry.get_sample_value("libra_audits_total", {"result": each}) for each in ("passed", "failed")]
    assert counts == [1, 1]
