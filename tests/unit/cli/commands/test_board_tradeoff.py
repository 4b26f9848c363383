from __future__ import annotations

import json

import pytest
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.v1.ranking_pb2 import (
    CurvePoint,
    Estimate,
    GetTradeoffRequest,
    GetTradeoffResponse,
    Tradeoff,
    TradeoffPoint,
)


def estimate(value: float) -> Estimate:
    return Estimate(value=value, standard_error=0.1, low=max(0.0, value - 0.1), high=min(1.0, value + 0.1), n=20)


def tradeoff(model: str, attacks: int = 0) -> Tradeoff:
    points = [TradeoffPoint(pressure="direct_risky", harm=estimate(0.1), distance=estimate(0.2), tasks=2)]
    points += [
        TradeoffPoint(pressure=f"attack_{n}", is_attack=True, harm=estimate(n / 20), plain_harm=estimate(0), tasks=1)
        for n in range(attacks)
    ]
    return Tradeoff(
        model=model,
        harm=estimate(0.1),
        over_refusal=estimate(0.3),
        distance=estimate(0.2236),
        is_efficient=True,
        discrimination=Estimate(value=1.806),
        bias=Estimate(value=-0.379),
        curve=[CurvePoint(harm=0.1, over_refusal=0.3)],
        points=points,
    )


REPLY = GetTradeoffResponse(
    tradeoffs=[
        tradeoff("an-organisation-with-a-long-name-instruct-v2", 10),
        Tradeoff(model="two", harm=estimate(0.5), dominated_by=["an-organisation-with-a-long-name-instruct-v2"]),
    ],
    notes=["two has no score on over-sensitive tasks, and no trade-off"],
)


def test_the_rates_and_the_strongest_attacks_of_each_model_are_shown(services: ScriptedServices) -> None:
    services.replies["GetTradeoff"] = REPLY
    result = services.libra("board", "--tradeoff", "--run", "R", "--model", "two", "--correct")
    text = " ".join(result.stdout.split())
    assert longest_line(result.stdout) <= 80
    assert "10.0 0.0-20.0" in text
    assert "22.4 12.4-32.4" in text
    assert "1.81 -0.38" in text
    assert "attack_9 45.0 35.0-55.0 0.0" in text
    assert "attack_1 " not in text
    assert "note: 2 more attacks of an-organisation" in text
    assert "two is worse in both rates than an-organisation-with-a-long-name-instruct-v2, beyond chance." in text
    assert "note: two has no score on over-sensitive tasks" in text
    request = services.requests[-1]
    assert request == GetTradeoffRequest(runs=["R"], models=["two"], correct_judges=True)


def test_json_has_every_point_and_the_curve(services: ScriptedServices) -> None:
    services.replies["GetTradeoff"] = REPLY
    first = json.loads(services.libra("board", "--tradeoff", "--json").stdout)["tradeoffs"][0]
    assert len(first["points"]) == 11
    assert first["curve"] == [{"harm": 0.1, "over_refusal": 0.3}]
    assert first["dominated_by"] == []


def test_without_models_the_table_says_so(services: ScriptedServices) -> None:
    services.replies["GetTradeoff"] = GetTradeoffResponse()
    assert "no finished run has risky or over-sensitive tasks" in services.libra("board", "--tradeoff").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--by", "risk"], "give either --tradeoff or --by"),
        (["--weights"], "give either --tradeoff or --weights"),
        (["--capability", "tasks"], "give either --tradeoff or --capability"),
        (["--format", "csv"], "--tradeoff can be printed only as a table or as JSON"),
    ],
)
def test_options_that_cannot_be_combined_are_refused(
    services: ScriptedServices, options: list[str], message: str
) -> None:
    result = services.libra("board", "--tradeoff", *options)
    assert result.exit_code == 2
    assert message in result.stderr
