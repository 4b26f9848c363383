from __future__ import annotations

from tests.unit.cli.scripted_services import ScriptedServices

from libra.core.errors import NotFound
from libra.v1.ranking_pb2 import AuditFinding, AuditRunResponse

LAWS = ["every trial has exactly one verdict", "the cells equal the sums"]


def test_an_audit_exits_with_0_if_every_law_holds(services: ScriptedServices) -> None:
    services.replies["AuditRun"] = AuditRunResponse(laws=LAWS, verdicts=12)
    result = services.libra("audit", "01RUN")
    assert result.exit_code == 0
    assert "The audit read 12 verdicts, 0 cells and 0 completions: the audit passes." in result.stdout


def test_an_audit_exits_with_1_if_a_law_is_broken(services: ScriptedServices) -> None:
    finding = AuditFinding(law=LAWS[0], message="2 trials have none", concerned=[f"trial-{n}" for n in range(12)])
    services.replies["AuditRun"] = AuditRunResponse(laws=LAWS, findings=[finding])
    result = services.libra("audit", "01RUN")
    assert result.exit_code == 1
    assert "BROKEN  every trial" in result.stdout
    assert "holds   the cells" in result.stdout
    assert "and 2 more" in result.stdout


def test_an_audit_of_an_unknown_run_exits_with_2(services: ScriptedServices) -> None:
    services.replies["AuditRun"] = NotFound("there is no run 'x'", field="run")
    result = services.libra("audit", "x")
    assert result.exit_code == 2
    assert "error: RUN: there is no run 'x'" in result.stderr
