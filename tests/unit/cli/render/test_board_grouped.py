from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.cli.scripted_ranking import Laid, laid_out, widest

from libra.errors import Invalid
from libra.v1.ranking_pb2 import (
    Board,
    BoardGroup,
    BoardRow,
    CapabilityChoice,
    Crossing,
    Estimate,
    GetGroupedBoardRequest,
    GetGroupedBoardResponse,
    GetWeightsRequest,
    GetWeightsResponse,
    WeightRange,
)
from libra.v1.run_pb2 import OutcomeCounts

SAFETY = Estimate(value=0.5, low=0.25, high=0.75, n=10)
LONG = "an-organisation-with-a-long-name-instruct-v2"


@pytest.fixture
def laid(tmp_path: Path) -> Iterator[Laid]:
    with laid_out(tmp_path) as made:
        yield made


def row(model: str, rank: int = 0) -> BoardRow:
    overall = Estimate(value=0.6, low=0.4, high=0.8, n=20) if rank else None
    counts = OutcomeCounts(scored=10, failed=2)
    return BoardRow(
        model=model,
        safety=SAFETY,
        overall=overall,
        rank=rank,
        rank_low=rank,
        rank_high=rank and rank + 1,
        counts=counts,
    )


def test_the_ranking_is_shown_at_every_weight(laid: Laid) -> None:
    laid.answers["GetWeights"] = GetWeightsResponse(
        ranges=[
            WeightRange(low=0, high=0.407, models=["able", LONG]),
            WeightRange(low=0.407, high=1, models=[LONG, "able"]),
        ],
        crossings=[Crossing(weight=0.407, above=LONG, below="able")],
        left_out=["half"],
    )
    result = laid.libra("board", "--weights", "--run", "R", "--model", "able")
    assert result.exit_code == 0, result.output
    assert widest(result.stdout) <= 80
    text = " ".join(result.stdout.split())
    assert f"0.0 to 40.7 1 able, 2 {LONG}" in text
    assert f"40.7 to 100.0 1 {LONG}, 2 able" in text
    assert f"40.7 {LONG} able" in text
    assert "left out: half" in text
    assert (list(laid.requests[0].runs), list(laid.requests[0].models)) == (["R"], ["able"])
    shown = json.loads(laid.libra("board", "--weights", "--format", "json").stdout)
    assert shown["crossings"][0]["weight"] == 0.407


def test_what_weights_and_groups_are_made_of_is_chosen_and_told(laid: Laid) -> None:
    laid.answers["GetWeights"] = GetWeightsResponse(notes=["1 score is corrected"])
    assert (
        "note: 1 score is corrected" in laid.libra("board", "--weights", "--correct", "--capability", "imported").stdout
    )
    group = BoardGroup(value="fraud", board=Board(rows=[row("one")], notes=["2 scores are corrected"]))
    laid.answers["GetGroupedBoard"] = GetGroupedBoardResponse(groups=[group])
    assert "note: fraud: 2 scores are corrected" in laid.libra("board", "--by", "area", "--correct").stdout
    assert laid.requests == [
        GetWeightsRequest(capability=CapabilityChoice.CAPABILITY_CHOICE_IMPORTED, correct_judges=True),
        GetGroupedBoardRequest(by="area", correct_judges=True),
    ]


def test_a_ranking_that_never_changes_is_said_to(laid: Laid) -> None:
    laid.answers["GetWeights"] = GetWeightsResponse(ranges=[WeightRange(low=0, high=1, models=["one", "two"])])
    assert "The ranking is the same at every weight." in laid.libra("board", "--weights").stdout
    laid.answers["GetWeights"] = GetWeightsResponse()
    assert "no model has an Overall" in laid.libra("board", "--weights").stdout


def test_groups_stand_under_each_other(laid: Laid) -> None:
    groups = [
        BoardGroup(board=Board(rows=[row("one")])),
        BoardGroup(value="a risk with a name that goes on and on", board=Board(rows=[row(LONG, 1), row("two", 2)])),
    ]
    laid.answers["GetGroupedBoard"] = GetGroupedBoardResponse(groups=groups, notes=["3 trials have no verdict yet"])
    result = laid.libra("board", "--by", "risk", "--run", "R")
    assert result.exit_code == 0, result.output
    assert widest(result.stdout) <= 80
    for word in ("(none)", "25.0-75.0", "60.0", "1-2", "12", "note: 3 trials have no verdict yet"):
        assert word in result.stdout
    assert laid.requests[0].by == "risk"
    assert json.loads(laid.libra("board", "--by", "risk", "--json").stdout)["groups"][0]["value"] == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--weights", "--by", "risk"], "either --weights or --by"),
        (["--by", "risk", "--capability", "tasks"], "--by knows no --capability"),
        (["--by", "risk", "--format", "csv"], "--by is printed as a table or as JSON"),
    ],
)
def test_what_does_not_go_together_is_refused(laid: Laid, words: list[str], message: str) -> None:
    result = laid.libra("board", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert laid.requests == []


def test_a_field_that_is_none_is_named(laid: Laid) -> None:
    laid.answers["GetGroupedBoard"] = Invalid("there is no field of the samples 'x'", field="by")
    assert "error: --by: there is no field" in laid.libra("board", "--by", "x").stderr
