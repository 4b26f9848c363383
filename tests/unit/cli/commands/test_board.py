from __future__ import annotations

import json

import pytest
from tests.unit.cli.board_fixture import BOARD
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.errors import Invalid
from libra.v1.ranking_pb2 import (
    Board,
    BoardGroup,
    BoardRow,
    CapabilityChoice,
    Crossing,
    Estimate,
    GetBoardRequest,
    GetBoardResponse,
    GetGroupedBoardRequest,
    GetGroupedBoardResponse,
    GetWeightsRequest,
    GetWeightsResponse,
    WeightRange,
)
from libra.v1.run_pb2 import OutcomeCounts

SAFETY = Estimate(value=0.5, low=0.25, high=0.75, n=10)
LONG = "an-organisation-with-a-long-name-instruct-v2"


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


def test_an_empty_board_says_how_to_start_a_run(services: ScriptedServices) -> None:
    services.replies["GetBoard"] = GetBoardResponse(board=Board(revision=7))
    assert "libra run create" in services.libra("board").stdout
    assert json.loads(services.libra("board", "--json").stdout)["board"]["revision"] == "7"
    assert services.libra("board", "--format", "csv").stdout.startswith("rank,model,overall,")
    assert services.libra("board", "--format", "xml").exit_code == 2


def test_options_select_what_a_board_is_made_from_and_what_is_shown(services: ScriptedServices) -> None:
    services.replies["GetBoard"] = GetBoardResponse(board=BOARD)
    default = services.libra("board").stdout
    assert "78.8 76.4-81.0" in default
    assert "distance" not in default
    options = ("--formulas", "--judges", "--correct", "--capability", "imported", "--model", "one")
    detailed = services.libra("board", *options).stdout
    assert "83.1-87.0" in detailed
    assert "0123456789ab" in detailed
    assert services.requests[0] == GetBoardRequest()
    assert services.requests[1] == GetBoardRequest(
        models=["one"], capability=CapabilityChoice.CAPABILITY_CHOICE_IMPORTED, correct_judges=True
    )
    assert services.libra("board", "--capability", "guessed").exit_code == 2


def test_the_ranking_is_shown_at_every_weight(services: ScriptedServices) -> None:
    services.replies["GetWeights"] = GetWeightsResponse(
        ranges=[
            WeightRange(low=0, high=0.407, models=["able", LONG]),
            WeightRange(low=0.407, high=1, models=[LONG, "able"]),
        ],
        crossings=[Crossing(weight=0.407, above=LONG, below="able")],
        left_out=["half"],
    )
    result = services.libra("board", "--weights", "--run", "R", "--model", "able")
    assert result.exit_code == 0, result.output
    assert longest_line(result.stdout) <= 80
    text = " ".join(result.stdout.split())
    assert f"0.0 to 40.7 1 able, 2 {LONG}" in text
    assert f"40.7 to 100.0 1 {LONG}, 2 able" in text
    assert f"40.7 {LONG} able" in text
    assert "left out: half" in text
    assert (list(services.requests[0].runs), list(services.requests[0].models)) == (["R"], ["able"])
    shown = json.loads(services.libra("board", "--weights", "--format", "json").stdout)
    assert shown["crossings"][0]["weight"] == 0.407


def test_options_select_what_weights_and_groups_are_made_from(services: ScriptedServices) -> None:
    services.replies["GetWeights"] = GetWeightsResponse(notes=["1 score is corrected"])
    assert (
        "note: 1 score is corrected"
        in services.libra("board", "--weights", "--correct", "--capability", "imported").stdout
    )
    group = BoardGroup(value="fraud", board=Board(rows=[row("one")], notes=["2 scores are corrected"]))
    services.replies["GetGroupedBoard"] = GetGroupedBoardResponse(groups=[group])
    assert "note: fraud: 2 scores are corrected" in services.libra("board", "--by", "area", "--correct").stdout
    assert services.requests == [
        GetWeightsRequest(capability=CapabilityChoice.CAPABILITY_CHOICE_IMPORTED, correct_judges=True),
        GetGroupedBoardRequest(by="area", correct_judges=True),
    ]


def test_a_ranking_that_never_changes_is_named_as_such(services: ScriptedServices) -> None:
    services.replies["GetWeights"] = GetWeightsResponse(ranges=[WeightRange(low=0, high=1, models=["one", "two"])])
    assert "The ranking is the same at every weight." in services.libra("board", "--weights").stdout
    services.replies["GetWeights"] = GetWeightsResponse()
    assert "no model has an Overall" in services.libra("board", "--weights").stdout


def test_groups_are_shown_below_each_other(services: ScriptedServices) -> None:
    groups = [
        BoardGroup(board=Board(rows=[row("one")])),
        BoardGroup(value="a risk with a name that goes on and on", board=Board(rows=[row(LONG, 1), row("two", 2)])),
    ]
    services.replies["GetGroupedBoard"] = GetGroupedBoardResponse(groups=groups, notes=["3 trials have no verdict yet"])
    result = services.libra("board", "--by", "risk", "--run", "R")
    assert result.exit_code == 0, result.output
    assert longest_line(result.stdout) <= 80
    for text in ("(none)", "25.0-75.0", "60.0", "1-2", "12", "note: 3 trials have no verdict yet"):
        assert text in result.stdout
    assert services.requests[0].by == "risk"
    assert json.loads(services.libra("board", "--by", "risk", "--json").stdout)["groups"][0]["value"] == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--weights", "--by", "risk"], "either --weights or --by"),
        (["--by", "risk", "--capability", "tasks"], "--by cannot be combined with --capability"),
        (["--by", "risk", "--format", "csv"], "--by can be printed only as a table, as Markdown or as JSON"),
    ],
)
def test_options_that_cannot_be_combined_are_refused(
    services: ScriptedServices, options: list[str], message: str
) -> None:
    result = services.libra("board", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert services.requests == []


def test_an_unknown_field_is_named_with_its_option(services: ScriptedServices) -> None:
    services.replies["GetGroupedBoard"] = Invalid("there is no field of the samples 'x'", field="by")
    assert "error: --by: there is no field" in services.libra("board", "--by", "x").stderr
