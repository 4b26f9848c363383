from __future__ import annotations

from dataclasses import replace

import pytest

from libra.errors import Invalid
from libra.judge.judge_factory import build_judge, hash_of
from libra.judge.judge_type import JudgeType
from libra.judge.options import refuse_unknown
from libra.judge.proto_mapping import to_proto
from libra.judge.registry import KINDS, kind_named

LEAST = {
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
}


def test_the_catalogue_is_in_order_of_name_and_each_judge_explains_itself() -> None:
    assert list(KINDS) == sorted(LEAST)
    for name, kind in KINDS.items():
        shown = to_proto(kind)
        assert (shown.name, shown.version) == (name, kind.version)
        assert shown.description.endswith(".")
        assert all(option.description.endswith(".") or option.description for option in shown.options)
        assert len(shown.labels) >= 2


def test_judges_that_ask_a_model_say_so() -> None:
    assert [name for name, kind in KINDS.items() if kind.asks_model] == ["cascade", "harm", "model", "panel"]
    assert {option.name: option.required for option in to_proto(KINDS["model"]).options} == {
        "rubric": True,
        "model": True,
        "refusal_score": False,
        "fields": False,
    }


@pytest.mark.parametrize("name", sorted(LEAST))
def test_every_judge_works_with_the_least_it_needs(name: str) -> None:
    judge = build_judge(KINDS[name], LEAST[name])
    assert len(judge.rubric_hash) == 12
    assert judge.rubric_hash == hash_of(KINDS[name], LEAST[name])


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
        ("model", {**LEAST["model"], "refusal_score": "2"}, "refusal_score", ["'refusal_score'", "from 0 to 1"]),
        ("model", {**LEAST["model"], "refusal_score": "nan"}, "refusal_score", ["from 0 to 1"]),
        ("cascade", {**LEAST["cascade"], "rule": "model"}, "rule", ["refusal"]),
        ("cascade", {**LEAST["cascade"], "rule": "refusal"}, "want", ["judge refusal needs", "refused or complied"]),
        ("cascade", {**LEAST["cascade"], "trust": "correct,wrung"}, "trust", ["did you mean wrong"]),
        ("panel", {"members": "refusal", "want": "refused"}, "members", ["from 2 to 9"]),
        ("panel", {"members": "refusal,refusal", "want": "refused"}, "members", ["refusal is a member twice"]),
        ("panel", {"members": "refusal,panel", "want": "refused"}, "members", ["'panel'"]),
        ("panel", {"members": "refusal:gpt,harm:a", "want": "refused"}, "members", ["asks no model"]),
        ("panel", {"members": "refusal,harm:a"}, "want", ["judge refusal needs"]),
        ("panel", {"members": "model:a,model:b"}, "rubric", ["judge model needs"]),
        ("panel", {"members": "harm,model:b", "rubric": "Is it kind?"}, "model", ["judge harm needs"]),
        ("panel", {**LEAST["panel"], "minimum": "3"}, "minimum", ["3 votes", "2 members"]),
        ("panel", {**LEAST["panel"], "minimum": "most"}, "minimum", ["'most'", "1 to 9"]),
    ],
)
def test_a_bad_option_is_named_with_what_is_valid(
    name: str, given: dict[str, str], option: str, words: list[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        build_judge(KINDS[name], given)
    assert caught.value.field == f"judge.options[{option}]"
    assert all(word in caught.value.message for word in words), caught.value.message


def test_an_unknown_option_is_refused_with_the_nearest_name() -> None:
    kind = KINDS["number"]
    with pytest.raises(Invalid, match="did you mean tolerance") as caught:
        refuse_unknown(kind.name, kind.options, {"field": "a", "tolerence": "1"})
    assert caught.value.field == "judge.options[tolerence]"


def test_an_unknown_judge_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(Invalid, match="did you mean refusal") as caught:
        kind_named("refusals")
    assert caught.value.field == "judge.name"


def test_the_hash_tells_ways_of_judging_apart() -> None:
    def hash_with(**options: str) -> str:
        return build_judge(KINDS["model"], {**LEAST["model"], **options}).rubric_hash

    hashes = {hash_with(), hash_with(rubric="Is it true?"), hash_with(model="judge-2"), hash_with(refusal_score="1")}
    assert len(hashes) == 4
    # A default that is spelled out, and an option of another judge, change nothing.
    assert (
        build_judge(KINDS["exact"], {"field": "a"}).rubric_hash
        == build_judge(KINDS["exact"], {"field": "a", "case": "insensitive"}).rubric_hash
    )
    assert hash_with() == hash_with(want="refused")
    assert hash_with() == "c7bf65d3a79b"


def test_the_hash_of_a_judge_that_is_made_of_others_holds_their_versions() -> None:
    def newer(kind: JudgeType) -> JudgeType:
        return replace(
            kind, parts=lambda build_judge: tuple(replace(part, version="next") for part in kind.parts(build_judge))
        )

    for name in ("cascade", "harm", "panel"):
        assert hash_of(newer(KINDS[name]), LEAST[name]) != hash_of(KINDS[name], LEAST[name]), name
    assert hash_of(KINDS["cascade"], {"rule": "nonsense"}) != hash_of(KINDS["cascade"], {})
