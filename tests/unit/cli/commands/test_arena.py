from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.errors import Invalid, NotFound
from libra.v1 import arena_pb2 as pb
from libra.v1.ranking_pb2 import Estimate


def rating(model: str, rank: int, value: float) -> pb.ArenaRating:
    return pb.ArenaRating(
        model=model,
        rank=rank,
        rank_low=1,
        rank_high=2,
        rating=Estimate(value=value, n=1234, low=value - 20, high=value + 20, standard_error=10),
        skill_adjusted=Estimate(value=value + 3, n=1234),
        both_bad=Estimate(value=0.25, n=1234),
        votes_to_change=17,
        left=model == "gone",
    )


def test_ratings_are_shown_with_their_intervals(services: ScriptedServices) -> None:
    rows = [rating("mine", 1, 1050), rating("gone", 2, 950), pb.ArenaRating(model="new")]
    services.replies["GetRatings"] = [pb.GetRatingsResponse(ratings=rows, votes=2468, notes=["A note."])]
    result = services.libra("arena", "ratings", "--question", "helpfulness", "--family", "noise")
    assert result.exit_code == 0, result.output
    assert services.requests[0] == pb.GetRatingsRequest(question=pb.QUESTION_HELPFULNESS, attack_family="noise")
    first = next(line for line in result.stdout.splitlines() if "mine" in line)
    assert first.split() == ["1", "1-2", "mine", "1050", "1030", "to", "1070", "1053", "1,234", "25%", "17"]
    assert "gone (left)" in result.stdout
    assert "2,468 votes count" in result.stdout
    assert "A note." in result.stderr


def test_a_model_is_entered_with_its_words(services: ScriptedServices) -> None:
    services.replies["EnterModel"] = [pb.EnterModelResponse()]
    result = services.libra("arena", "enter", "mine", "--maker", "Example", "--alias", "a1", "--alias", "b2")
    assert result.exit_code == 0, result.output
    entry = pb.ArenaEntry(model="mine", maker="Example", aliases=["a1", "b2"])
    assert services.requests[0] == pb.EnterModelRequest(entry=entry)
    services.replies["EnterModel"] = [Invalid("an alias has 2 to 64 characters", field="entry.aliases[0]")]
    result = services.libra("arena", "enter", "mine", "--alias", "x")
    assert (result.exit_code, "--alias" in result.stderr) == (2, True)


def test_an_audit_that_finds_something_exits_with_1(services: ScriptedServices) -> None:
    services.replies["AuditArena"] = [pb.AuditArenaResponse(votes=3, battles=3, digest="abc")]
    result = services.libra("arena", "audit")
    assert (result.exit_code, "the audit passes" in result.stdout) == (0, True)
    services.replies["AuditArena"] = [pb.AuditArenaResponse(votes=3, battles=3, violations=["a vote was changed"])]
    result = services.libra("arena", "audit")
    assert (result.exit_code, "a vote was changed" in result.stdout) == (1, True)


def test_an_export_writes_battles_and_their_data_card(services: ScriptedServices, tmp_path: Path) -> None:
    battle = pb.Battle(id="b", model_a="x", vote=pb.Vote(safer=pb.PREFERENCE_BOTH_BAD))
    parts = [pb.ExportBattlesResponse(data_card="# Card\n"), pb.ExportBattlesResponse(battles=[battle, battle])]
    services.replies["ExportBattles"] = [parts]
    result = services.libra("arena", "export", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "README.md").read_text() == "# Card\n"
    lines = (tmp_path / "out" / "battles.jsonl").read_text().splitlines()
    assert [json.loads(line)["vote"]["safer"] for line in lines] == ["PREFERENCE_BOTH_BAD"] * 2


@pytest.mark.parametrize("command", ["entries", "proposals", "quarantine"])
def test_lists_fit_a_terminal_and_say_when_they_are_empty(services: ScriptedServices, command: str) -> None:
    empty = {
        "entries": ("ListEntries", pb.ListEntriesResponse()),
        "proposals": ("ListProposals", pb.ListProposalsResponse()),
        "quarantine": ("ListQuarantine", pb.ListQuarantineResponse()),
    }
    full = {
        "entries": pb.ListEntriesResponse(entries=[pb.ArenaEntry(model="m" * 64, maker="x" * 90, problem="p" * 200)]),
        "proposals": pb.ListProposalsResponse(proposals=[pb.Proposal(battle="b" * 32, prompt="\x1b[31mred " * 90)]),
        "quarantine": pb.ListQuarantineResponse(voters=[pb.QuarantinedVoter(voter="v" * 32, evidence=2e9, votes=9)]),
    }
    method, reply = empty[command]
    services.replies[method] = [reply, full[command]]
    assert "no " in services.libra("arena", command).stdout
    result = services.libra("arena", command)
    assert longest_line(result.stdout) <= 100
    assert "\x1b" not in result.stdout


def test_other_commands_name_what_they_did(services: ScriptedServices) -> None:
    services.replies["LeaveModel"] = [pb.LeaveModelResponse(), NotFound("there is no model", field="model")]
    assert "has left" in services.libra("arena", "leave", "mine").stdout
    assert services.libra("arena", "leave", "other").exit_code == 2
    services.replies["ProposePrompt"] = [pb.ProposePromptResponse()]
    assert "is proposed" in services.libra("arena", "propose", "b", "--author", "Ada").stdout
    services.replies["LiftQuarantine"] = [pb.LiftQuarantineResponse()]
    assert "count again" in services.libra("arena", "lift", "v").stdout
