from __future__ import annotations

import json

from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.errors import NotFound
from libra.v1.ranking_pb2 import AttackReport, Estimate, ReportAttacksResponse, SuccessAtK, Transfer, WorstCase

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


def test_an_unknown_cost_is_not_shown_as_nothing(services: ScriptedServices) -> None:
    services.replies["ReportAttacks"] = ReportAttacksResponse(
        reports=[
            AttackReport(attack="none", model="one", trials=4, unknown_price=4),
            AttackReport(attack="base64", model="one", trials=4, unknown_price=1, cost_usd=12.25),
            AttackReport(attack="rot13", model="one", trials=4),
        ]
    )
    plain, part, nothing = services.libra("attacks", "report", "01RUN").stdout.splitlines()[3:6]
    assert plain.split()[-2] == "-"
    assert part.split()[-2] == "≥12.25"
    assert nothing.split()[-2] == "0"


def test_a_run_without_attacks_and_an_unknown_run_are_reported(services: ScriptedServices) -> None:
    note = "the run has no verdict on a task that attacks apply to"
    services.replies["ReportAttacks"] = ReportAttacksResponse(notes=[note])
    assert services.libra("attacks", "report", "01RUN").stdout == f"note: {note}\n"
    services.replies["ReportAttacks"] = NotFound("there is no run 'x'", field="run")
    result = services.libra("attacks", "report", "x")
    assert result.exit_code == 2
    assert "error: RUN: there is no run 'x'" in result.stderr


def test_tries_the_worst_case_and_transfer_are_shown(services: ScriptedServices) -> None:
    estimate = Estimate(value=0.371, low=0.302, high=0.448, n=40)
    reports = [AttackReport(attack="best_of_n", model="two", success_at_k=[SuccessAtK(k=5, success=estimate)])]
    services.replies["ReportAttacks"] = ReportAttacksResponse(
        reports=reports,
        worst_cases=[WorstCase(model="two", attacks=["best_of_n", "pair"], samples=1_240, success=estimate)],
        transfers=[Transfer(attack="pair", source="two", target="one", broken=17, share=estimate)],
    )
    result = services.libra("attacks", "report", "01RUN", "--transfer")
    assert result.exit_code == 0, result.output
    assert longest_line(result.stdout) <= 80
    assert "worst case of 2 attacks: 37.1 % of 1,240 samples (30.2-44.8)" in result.stdout
    assert "broken too" in result.stdout
    assert "17" in result.stdout
    assert "broken too" not in services.libra("attacks", "report", "01RUN").stdout


def test_an_unknown_usage_is_no_zero(services: ScriptedServices) -> None:
    partly = AttackReport(attack="pair", model="one", trials=4, prompt_tokens=900, cost_usd=0.5, unknown_usage=1)
    unknown = AttackReport(attack="none", model="one", trials=4, unknown_usage=4)
    services.replies["ReportAttacks"] = ReportAttacksResponse(reports=[unknown, partly])
    shown = services.libra("attacks", "report", "01RUN").stdout
    assert longest_line(shown) <= 80
    [none, pair] = [line.split() for line in shown.splitlines() if line.startswith(("none", "pair"))]
    assert (none[-3:-1], pair[-3:-1]) == (["-", "-"], ["≥900", "≥0.50"])
