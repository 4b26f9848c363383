from __future__ import annotations

import json

from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.errors import NotFound
from libra.v1.ranking_pb2 import AttackReport, Estimate, ReportAttacksResponse

REPORTS = [
    AttackReport(
        attack="none",
        model="an-organisation-with-a-long-name-instruct-v2",
        success=Estimate(value=0.125, low=0.081, high=0.187, n=240),
        trials=240,
        prompt_tokens=1_234_000,
        completion_tokens=100,
        seconds=7000,
    ),
    AttackReport(
        attack="persona_modulation+translation_de+base64",
        model="an-organisation-with-a-long-name-instruct-v2",
        success=Estimate(value=0.999, low=0.981, high=1, n=240),
        gain=Estimate(value=0.875, low=-0.812, high=0.913, n=480),
        p=0.00001,
        trials=16_240,
        prompt_tokens=900,
        completion_tokens=99,
        cost_usd=1234.5,
        seconds=59,
    ),
    AttackReport(attack="none", model="two", trials=4),
]


def test_attacks_are_reported_for_each_model(services: ScriptedServices) -> None:
    services.replies["ReportAttacks"] = ReportAttacksResponse(
        reports=REPORTS, notes=["two under none: 4 of 4 have no score"]
    )
    result = services.libra("attacks", "report", "01RUN")
    assert result.exit_code == 0, result.output
    assert longest_line(result.stdout) <= 80
    for number in ("12.5", "8.1-18.7", "+87.5", "-81.2 to +91.3", "<.001", "1.2M", "1,234.50", "1.9h", "59s"):
        assert number in result.stdout
    assert result.stdout.index("an-organisation") < result.stdout.index("\ntwo\n")
    assert "note: two under none: 4 of 4 have no score" in result.stdout
    assert "the plain prompt" in " ".join(result.stdout.split())
    assert services.requests[0].run == "01RUN"
    [first, *_] = json.loads(services.libra("attacks", "report", "01RUN", "--json").stdout)["reports"]
    assert first["success"]["low"] == 0.081


def test_a_run_without_attacks_and_an_unknown_run_are_reported(services: ScriptedServices) -> None:
    note = "the run has no verdict on a task that attacks apply to"
    services.replies["ReportAttacks"] = ReportAttacksResponse(notes=[note])
    assert services.libra("attacks", "report", "01RUN").stdout == f"note: {note}\n"
    services.replies["ReportAttacks"] = NotFound("there is no run 'x'", field="run")
    result = services.libra("attacks", "report", "x")
    assert result.exit_code == 2
    assert "error: RUN: there is no run 'x'" in result.stderr
