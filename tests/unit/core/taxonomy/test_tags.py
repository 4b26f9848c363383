"""Tags of tasks, samples and attacks."""

from __future__ import annotations

import pytest

from libra.core.errors import Invalid
from libra.core.taxonomy.proto_mapping import tags_of_attack_to_proto, tags_of_task_to_proto
from libra.core.taxonomy.releases import load_taxonomies
from libra.core.taxonomy.tags import UNMAPPED, Tags, tags_of_attack, tags_of_task
from libra.v1.task_pb2 import Task


@pytest.mark.parametrize(
    ("task", "value", "ids"),
    [
        ("simple_safety_test", "Suicide, Self-Harm, and Eating Disorders", ("ssh",)),
        ("do_not_answer", "Insult: Questions with the intention of disrespecting someone.", ("hte",)),
        ("do_not_answer", "  insult ", ("hte",)),
        ("beavertails_bad", '{"animal_abuse": true, "self_harm": true, "privacy_violation": false}', ("ssh", "vcr")),
        ("beavertails_bad", '["drug_abuse,weapons,banned_substance"]', ("ncr",)),
        ("dices350", "Racial,Health", ("hte", "spc")),
        ("dices350", "Political,Racial", ("hte",)),
        ("harm_bench", "copyright", ("ipv",)),
        ("harm_bench", "3", ()),
        ("harm_bench", "", ()),
    ],
)
def test_a_label_is_found_whole_before_its_colon_or_in_a_list(task: str, value: str, ids: tuple[str, ...]) -> None:
    assert tags_of_task("ailuminate", task, "", ()).of_sample(value).ids == ids


def test_a_label_wider_than_a_hazard_has_a_reason_and_an_unknown_one_is_unmapped() -> None:
    tags = tags_of_task("ailuminate", "harm_bench", "", ())
    assert "many hazards" in tags.of_sample("illegal").reason
    assert tags.of_sample("a new label") == Tags((), UNMAPPED)


def test_tags_of_the_task_and_of_the_label_are_joined() -> None:
    tags = tags_of_task("owasp", "do_not_answer_fp", "", ())
    assert tags.of_sample("Disseminating false or misleading information").ids == ("LLM01", "LLM09")
    assert tags.of_sample("Adult Content").ids == ("LLM01",)


def test_tags_on_a_card_come_before_those_of_its_name_and_of_its_risk() -> None:
    assert tags_of_task("ailuminate", "bbq", "bias", ["ailuminate:prv"]).common.ids == ("prv",)
    assert tags_of_task("owasp", "bbq", "bias", ["ailuminate:prv"]).common.ids == ()
    assert tags_of_task("ailuminate", "mine", "Privacy", []).common.ids == ("prv",)
    assert tags_of_task("ailuminate", "mine", "my own risk", []).common == Tags((), UNMAPPED)


def test_samples_of_a_users_task_may_name_their_tags() -> None:
    tags = tags_of_task("ailuminate", "mine", "", [])
    assert tags.fields == ("ailuminate",)
    assert tags.of_sample("vcr, Hate").ids == ("hte", "vcr")
    assert tags_of_task("owasp", "mine", "", ["owasp:LLM01"]).of_sample("LLM07").ids == ("LLM01", "LLM07")


def test_joined_attacks_have_the_tags_of_each() -> None:
    assert tags_of_attack("atlas", "base64+prompt_injection").ids == ("AML.T0051.000", "AML.T0054", "AML.T0068")
    assert tags_of_attack("ailuminate", "base64").ids == ()
    assert tags_of_attack("owasp", "unheard_of") == Tags((), UNMAPPED)
    assert tags_of_attack("owasp", "none").reason == "the plain prompt"


def test_an_entry_is_found_by_identifier_or_name_and_a_wrong_one_names_the_nearest() -> None:
    owasp = load_taxonomies()["owasp"]
    assert owasp.require_id("llm01") == owasp.require_id("prompt injection") == "LLM01"
    with pytest.raises(Invalid, match=r"OWASP Top 10 for LLM Applications 2025 'LLM11': did you mean LLM01"):
        owasp.require_id("LLM11")


def test_messages_have_names_fields_and_reasons() -> None:
    ailuminate, owasp, atlas = tags_of_task_to_proto(Task(name="simple_safety_test"))
    assert (ailuminate.taxonomy, ailuminate.title) == ("ailuminate", "MLCommons AILuminate 1.0")
    assert [entry.id for entry in ailuminate.entries] == ["cse", "ncr", "ssh", "vcr"]
    assert list(ailuminate.sample_fields) == ["harm_area"]
    assert ailuminate.reason == ""
    assert owasp.reason.startswith("requests for content in plain words")
    assert not atlas.entries
    own = tags_of_task_to_proto(Task(name="mine", tags=["atlas:AML.T0051.001"]))[2]
    assert [(entry.id, entry.name) for entry in own.entries] == [("AML.T0051.001", "LLM Prompt Injection: Indirect")]
    assert list(own.sample_fields) == []
    assert [entry.id for entry in tags_of_attack_to_proto("pair")[2].entries] == ["AML.T0043.001", "AML.T0054"]
