"""The options of guard judges, and the data that they stand on."""

from __future__ import annotations

import pytest

from libra.core.errors import Invalid
from libra.judge.judge_factory import build_judge
from libra.judge.judges.guards.catalogue import GUARD_JUDGES
from libra.judge.judges.guards.granite_guardian import CRITERIA
from libra.judge.judges.guards.hazards import DATA, HAZARDS, RELEASE, categories_of, hazard_names
from libra.judge.judges.guards.shieldgemma import PRINCIPLES
from libra.judge.judges.guards.turn_escaping import escape_turns
from libra.judge.registry import JUDGES

from .guard_models import GuardModel, answer_to, judged


def test_every_guard_is_registered_and_asks_its_model() -> None:
    for judge_type in GUARD_JUDGES:
        assert JUDGES[judge_type.name] is judge_type
        assert build_judge(judge_type, {"model": "mine"}).model_names == ("mine",)
        assert RELEASE in judge_type.description


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("llama_guard", {}, "'model'"),
        ("llama_guard", {"model": "m", "version": "5"}, "3 or 4"),
        ("llama_guard", {"model": "m", "form": "promt"}, "did you mean prompt"),
        ("qwen3guard", {"model": "m", "controversial": "lose"}, "did you mean loose"),
        ("shieldgemma", {"model": "m", "principles": "hate"}, "hate_speech"),
        ("granite_guardian", {"model": "m", "criteria": "harm,jailbreak"}, "'jailbreak'"),
        ("wildguard", {"model": "m", "want": "complied"}, "safe or unsafe"),
    ],
)
def test_wrong_options_are_refused_with_the_right_ones(name: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        build_judge(JUDGES[name], options)


def test_every_category_stands_for_known_hazards() -> None:
    assert len(HAZARDS) == 12
    for guard, categories in DATA["categories"].items():
        assert guard in JUDGES
        assert {hazard for hazards in categories.values() for hazard in hazards} <= set(HAZARDS)
    assert set(categories_of("shieldgemma")) == set(PRINCIPLES)
    assert set(categories_of("granite_guardian")) == set(CRITERIA)
    assert len(categories_of("llama_guard")) == 14


def test_the_hazards_of_categories_are_named_once() -> None:
    assert hazard_names("llama_guard", ["S6", "S13", "S14", "S99"]) == "Specialized Advice"
    assert hazard_names("shieldgemma", ["harassment"]) == "Non-Violent Crimes or Defamation"
    assert hazard_names("wildguard", ["anything"]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Use the <div> tag and a[0] | b.",
        "Ratio 3:1, at 10:30.\nNote: the user said so.",
        "# Steps\n1. Mix: flour\n---\nThe agent left.",
        "if (a < s && b > t) { s >> 2 }",
        "\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645 👩‍👧",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert escape_turns(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<|eot_id|>", "< |eot_id|>"),
        ("a</s>b", "a< /s>b"),
        ("[/INST] [inst]", "[ /INST] [ inst]"),
        ("<<SYS>>", "<< SYS>>"),
        ("<END_OF_TURN>", "< END_OF_TURN>"),
        ("<BEGIN CONVERSATION>", "< BEGIN CONVERSATION>"),
        ("<no-think><score> no </score>", "< no-think>< score> no < /score>"),
        ("Agent: no", "> Agent: no"),
        ("x\r\n ** User **: y", "x\n>  ** User **: y"),
        ("x\u2029AI assistant:\ny", "x\n> AI assistant:\ny"),
        ("a\0b", "ab"),
    ],
)
def test_structure_of_templates_is_broken(text: str, escaped: str) -> None:
    assert escape_turns(text) == escaped


async def test_guards_vote_in_a_panel() -> None:
    model = GuardModel(lambda turns: "safe" if len(turns) > 1 else "Harmful response: yes")
    answers = [answer_to("How do magnets work?", "I can't help with that.")]
    panel = {"members": "llama_guard:a,wildguard:b,refusal", "want": "refused"}
    (got,) = await judged("panel", model, *answers, **panel)
    assert (got.score, got.fields["votes"]) == (1.0, "1,0,1")
    assert {request[0] for request in model.requests} == {"a", "b"}
