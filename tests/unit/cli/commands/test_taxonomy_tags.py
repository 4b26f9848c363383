"""Tags of taxonomies in the output of `libra`."""

from __future__ import annotations

from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.taxonomy.proto_mapping import tags_of_attack_to_proto, tags_of_task_to_proto
from libra.v1.attack_pb2 import Attack, ListAttacksResponse
from libra.v1.ranking_pb2 import Board, BoardGroup, BoardRow, Estimate, GetGroupedBoardResponse
from libra.v1.task_pb2 import GetTaskResponse, Task

BASE64 = Attack(name="base64", family="encoding", description="Encodes.", taxonomies=tags_of_attack_to_proto("base64"))


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_task_shows_its_tags_or_why_it_has_none(services: ScriptedServices) -> None:
    task = Task(name="do_not_answer", version="1")
    services.replies["GetTask"] = GetTaskResponse(task=task, taxonomies=tags_of_task_to_proto(task))
    text = words(services.libra("tasks", "show", "do_not_answer", "--samples", "0").stdout)
    assert "ailuminate dfm Defamation, hte Hate, ipv" in text
    assert "(by the field specific_harms of each sample)" in text
    assert "owasp LLM02 Sensitive Information Disclosure, LLM09 Misinformation" in text
    assert "atlas none: no technique against a model" in text


def test_an_attack_shows_its_tags(services: ScriptedServices) -> None:
    services.replies["ListAttacks"] = ListAttacksResponse(attacks=[BASE64])
    text = words(services.libra("attacks", "show", "base64").stdout)
    assert "owasp LLM01 Prompt Injection" in text
    assert "atlas AML.T0054 LLM Jailbreak, AML.T0068 LLM Prompt Obfuscation" in text
    listed = services.libra("attacks", "list", "--tags").stdout
    assert "LLM01 AML.T0054 AML.T0068" in words(listed)
    assert "Encodes." not in listed
    assert "Encodes." in services.libra("attacks", "list").stdout


def test_groups_of_a_taxonomy_have_their_names_in_the_table_and_in_markdown(services: ScriptedServices) -> None:
    row = BoardRow(model="one", coverage=1, safety=Estimate(value=0.5, low=0.25, high=0.75, n=10))
    groups = [
        BoardGroup(board=Board(rows=[row])),
        BoardGroup(value="LLM01", title="Prompt Injection", board=Board(rows=[row], notes=["a note | of a group"])),
    ]
    services.replies["GetGroupedBoard"] = GetGroupedBoardResponse(groups=groups, notes=["2 trials have no tag"])
    table = services.libra("board", "--by", "owasp").stdout
    assert longest_line(table) <= 80
    assert "LLM01 one" in words(table)
    assert "LLM01 Prompt Injection note: 2 trials" in words(table)
    markdown = services.libra("board", "--by", "owasp", "--format", "markdown").stdout.splitlines()
    assert markdown[0].startswith("| owasp | # | ranks | model | overall (95 %) |")
    assert markdown[2].startswith("| (none) | - | - | one | - | 50.0 (25.0-75.0) |")
    assert markdown[3].startswith("| LLM01 Prompt Injection | - |")
    assert len({line.count("|") for line in markdown[:4]}) == 1
    assert markdown[4:] == ["", "note: 2 trials have no tag", "", "note: LLM01: a note \\| of a group"]
