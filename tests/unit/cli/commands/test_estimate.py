"""`libra run estimate` shows what the models under test, judges and attacks cost, and what is unknown."""

from __future__ import annotations

from typing import Any

from tests.unit.cli.scripted_services import ScriptedServices

from libra.v1.run_control_pb2 import (
    ESTIMATE_ROLE_ATTACK,
    ESTIMATE_ROLE_JUDGE,
    ESTIMATE_SOURCE_PROMPT_LENGTH,
    ESTIMATE_SOURCE_STORED_USAGE,
    ESTIMATE_SOURCE_UNKNOWN,
    EstimateRunResponse,
    SectionEstimate,
)
from libra.v1.run_pb2 import BudgetUse


def section(model: str, **fields: Any) -> SectionEstimate:
    return SectionEstimate(model=model, task="harm@1", attack="pair", trials=100, **fields)


def test_each_role_has_a_row_and_what_is_unknown_is_said(services: ScriptedServices) -> None:
    tested = section("mine", prompt_tokens=2_000, completion_tokens=500, cost_usd=0.5)
    tested.source = ESTIMATE_SOURCE_STORED_USAGE
    judge = section("grader", role=ESTIMATE_ROLE_JUDGE, source=ESTIMATE_SOURCE_PROMPT_LENGTH, prompt_tokens=9_000)
    attack = section("writer", role=ESTIMATE_ROLE_ATTACK, source=ESTIMATE_SOURCE_UNKNOWN)
    total = BudgetUse(usd=0.5, tokens=11_500, requests=200)
    services.replies["EstimateRun"] = EstimateRunResponse(
        sections=[tested, attack, judge], total=total, warnings=["requests of pair are not in the estimate"]
    )
    shown = services.libra("run", "estimate", "--model", "mine", "--task", "harm").output
    lines = [line.split() for line in shown.splitlines()]
    assert ["mine", "tested", "harm", "pair", "100", "2.0k", "500", "$0.5000", "stored", "usage"] in lines
    assert ["writer", "attack", "harm", "pair", "100", "-", "-", "unknown", "unknown"] in lines
    assert any(line[:2] == ["grader", "judge"] and line[-1] == "lengths" for line in lines)
    assert "200 requests, 11,500 tokens, $0.5000" in shown
    assert "note: requests of pair are not in the estimate" in shown
