from __future__ import annotations

from dataclasses import replace

import pytest

from libra.core.errors import Invalid
from libra.judge.judge_factory import build_judge, rubric_hash_of
from libra.judge.judge_type import JudgeType
from libra.judge.judges.guards.catalogue import GUARD_JUDGES
from libra.judge.options import reject_unknown_options
from libra.judge.proto_mapping import to_proto
from libra.judge.registry import JUDGES, judge_type_named

REQUIRED_OPTIONS = {
    "absent": {"field": "secret"},
    "cascade": {"rule": "choice", "field": "answer", "rubric": "Is B named?", "model": "judge-1"},
    "choice": {"field": "answer"},
    "contains": {"field": "canary"},
    "differs": {"field": "target"},
    "exact": {"field": "answer"},
    "harm": {"model": "judge-1"},
    "mixed": {"rule": "expected"},
    "model": {"rubric": "Is it kind?", "model": "judge-1"},
    "not_named": {"field": "name"},
    "number": {"field": "answer"},
    "panel": {"members": "refusal,harm:judge-1", "want": "refused"},
    "rating": {"field": "label"},
    "refusal": {"want": "refused"},
    "stance": {},
    "yes_no": {"field": "answer"},
    **{judge_type.name: {"model": "guard-1"} for judge_type in GUARD_JUDGES},
}


def test_the_registry_is_in_order_of_name_and_each_judge_has_a_description() -> None:
    assert list(JUDGES) == sorted(REQUIRED_OPTIONS)
    for name, judge_type in JUDGES.items():
        shown = to_proto(judge_type)
        assert (shown.name, shown.version) == (name, judge_type.version)
        assert shown.description.endswith(".")
        assert all(option.description.endswith(".") or option.description for option in shown.options)
        assert len(shown.labels) >= 2


def test_asks_model_is_true_for_judges_that_ask_a_model() -> None:
    guards = {judge_type.name for judge_type in GUARD_JUDGES}
    assert {name for name, judge_type in JUDGES.items() if judge_type.asks_model} - guards == {
        *("cascade", "harm", "model", "panel")
    }
    assert all(judge_type.asks_model for judge_type in GUARD_JUDGES)
    assert {option.name: option.required for option in to_proto(JUDGES["model"]).options} == {
        "rubric": True,
        "model": True,
        "refusal_score": False,
        "fields": False,
        "scale": False,
        "max_tokens": False,
        "temperature": False,
        "reasoning_effort": False,
    }


@pytest.mark.parametrize("name", sorted(REQUIRED_OPTIONS))
def test_every_judge_can_be_built_with_its_required_options(name: str) -> None:
    judge = build_judge(JUDGES[name], REQUIRED_OPTIONS[name])
    assert len(judge.rubric_hash) == 12
    assert judge.rubric_hash == rubric_hash_of(JUDGES[name], REQUIRED_OPTIONS[name])


@pytest.mark.parametrize(
    ("name", "given", "option", "words"),
    [
        ("refusal", {}, "want", ["'want'", "refused or complied"]),
        ("refusal", {"want": ""}, "want", ["'want'"]),
        ("refusal", {"want": "refuse"}, "want", ["did you mean refused", "refused or complied"]),
        ("refusal", {"want": "xyz"}, "want", ["refused or complied"]),
        ("choice", {}, "field", ["'field'"]),
        ("exact", {"field": "answer", "case": "upper"}, "case", ["insensitive or sensitive"]),
        ("exact", {"field": "answer", "strip": "all"}, "strip", ["punctuation or space or nothing"]),
        ("absent", {"field": " "}, "field", ["'field'"]),
        ("number", {"field": "answer", "tolerance": "some"}, "tolerance", ["'tolerance'", "'some'", "percentage"]),
        ("model", {"rubric": "Is it kind?"}, "model", ["'model'"]),
        ("model", {"model": "judge-1"}, "rubric", ["'rubric'"]),
        (
            "model",
            {**REQUIRED_OPTIONS["model"], "refusal_score": "2"},
            "refusal_score",
            ["'refusal_score'", "from 0 to 1"],
        ),
        ("model", {**REQUIRED_OPTIONS["model"], "refusal_score": "nan"}, "refusal_score", ["from 0 to 1"]),
        ("cascade", {**REQUIRED_OPTIONS["cascade"], "rule": "model"}, "rule", ["refusal"]),
        (
            "cascade",
            {**REQUIRED_OPTIONS["cascade"], "rule": "refusal"},
            "want",
            ["judge refusal needs", "refused or complied"],
        ),
        ("cascade", {**REQUIRED_OPTIONS["cascade"], "trust": "correct,wrung"}, "trust", ["did you mean wrong"]),
        ("panel", {"members": "refusal", "want": "refused"}, "members", ["from 2 to 9"]),
        ("panel", {"members": "refusal,refusal", "want": "refused"}, "members", ["refusal is a member twice"]),
        ("panel", {"members": "refusal,panel", "want": "refused"}, "members", ["'panel'"]),
        ("panel", {"members": "refusal:gpt,harm:a", "want": "refused"}, "members", ["asks no model"]),
        ("panel", {"members": "refusal,harm:a"}, "want", ["judge refusal needs"]),
        ("panel", {"members": "model:a,model:b"}, "rubric", ["judge model needs"]),
        ("panel", {"members": "harm,model:b", "rubric": "Is it kind?"}, "model", ["judge harm needs"]),
        ("panel", {**REQUIRED_OPTIONS["panel"], "minimum": "3"}, "minimum", ["3 votes", "2 members"]),
        ("panel", {**REQUIRED_OPTIONS["panel"], "minimum": "most"}, "minimum", ["'most'", "1 to 9"]),
    ],
)
def test_an_invalid_option_is_named_with_the_valid_values(
    name: str, given: dict[str, str], option: str, words: list[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        build_judge(JUDGES[name], given)
    assert caught.value.field == f"judge.options[{option}]"
    assert all(word in caught.value.message for word in words), caught.value.message


def test_an_unknown_option_is_refused_with_the_nearest_name() -> None:
    judge_type = JUDGES["number"]
    with pytest.raises(Invalid, match="did you mean tolerance") as caught:
        reject_unknown_options(judge_type.name, judge_type.options, {"field": "a", "tolerence": "1"})
    assert caught.value.field == "judge.options[tolerence]"


def test_an_unknown_judge_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(Invalid, match="did you mean refusal") as caught:
        judge_type_named("refusals")
    assert caught.value.field == "judge.name"


def test_the_hash_depends_on_the_options_of_the_judge_only() -> None:
    def hash_with(**options: str) -> str:
        return build_judge(JUDGES["model"], {**REQUIRED_OPTIONS["model"], **options}).rubric_hash

    hashes = {hash_with(), hash_with(rubric="Is it true?"), hash_with(model="judge-2"), hash_with(refusal_score="1")}
    assert len(hashes) == 4
    # An explicit default and an option of another judge do not change the hash.
    assert (
        build_judge(JUDGES["exact"], {"field": "a"}).rubric_hash
        == build_judge(JUDGES["exact"], {"field": "a", "case": "insensitive"}).rubric_hash
    )
    assert hash_with() == hash_with(want="refused")
    assert hash_with() == "c7bf65d3a79b"


def test_the_hash_of_a_composite_judge_depends_on_the_versions_of_its_delegates() -> None:
    def newer(judge_type: JudgeType) -> JudgeType:
        return replace(
            judge_type,
            delegates=lambda options: tuple(
                replace(delegate, version="next") for delegate in judge_type.delegates(options)
            ),
        )

    for name in ("cascade", "harm", "panel"):
        assert rubric_hash_of(newer(JUDGES[name]), REQUIRED_OPTIONS[name]) != rubric_hash_of(
            JUDGES[name], REQUIRED_OPTIONS[name]
        ), name
    assert rubric_hash_of(JUDGES["cascade"], {"rule": "nonsense"}) != rubric_hash_of(JUDGES["cascade"], {})
