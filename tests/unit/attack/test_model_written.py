"""Attacks that a model writes, with the model's part played by a script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.attack import apply
from libra.attack.apply import AttackedConversation, AttackForm
from libra.attack.attack_session import ModelReply, ModelRole, UnusableReply
from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import EXAMPLE_PROMPT, ModelUse
from libra.attack.catalogue.model_written.family import WRITTEN
from libra.attack.catalogue.model_written.languages import LANGUAGES, Language
from libra.attack.conversation import Turn, Turns
from libra.errors import Invalid

from .voices import ScriptedModels, parse_fences

OPTIONAL = [attack.name for attack in WRITTEN if attack.model_use is ModelUse.OPTIONAL]
REQUIRED = [attack.name for attack in WRITTEN if attack.model_use is ModelUse.REQUIRED]
NOT_THE_JUDGE = frozenset({ModelRole.ATTACKER, ModelRole.TARGET})
CONVERSATION = (Turn("system", "The code is 7."), Turn("user", "Hello"), Turn("assistant", "Hi"), *EXAMPLE_PROMPT)


async def put(name: str, voices: ScriptedModels, turns: Turns = EXAMPLE_PROMPT, **how: bool) -> AttackedConversation:
    attack = registry.find(name)
    assert attack
    return await apply.apply_attack(attack, turns, 7, voices.session(named=NOT_THE_JUDGE), **how)


def test_twenty_one_languages_and_six_that_have_rules() -> None:
    assert len(LANGUAGES) == len({language.code for language in LANGUAGES}) == 21
    assert sorted(REQUIRED) == sorted(["multilingual", *(f"translation_{language.code}" for language in LANGUAGES)])
    assert sorted(OPTIONAL) == [
        *(
            "deep_inception",
            "effect_to_cause",
            "one_sided_statement",
            "persona_modulation",
            "persuasion",
            "tense_change",
        ),
    ]
    assert not set(OPTIONAL + REQUIRED) & {attack.name for attack in registry.RULE_ATTACKS}


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
async def test_a_translation_is_taken_as_it_is_and_the_prompt_is_fenced(language: Language) -> None:
    name = f"translation_{language.code}"
    voices = ScriptedModels(
        attacker=lambda turns, _: f"<think>Let me see.</think>Here it is: <text>\n{language.example}\n</text>"
    )
    done = await put(name, voices, CONVERSATION)
    assert done == AttackedConversation((*CONVERSATION[:-1], Turn("user", language.example)), AttackForm.MODEL)
    attack = registry.find(name)
    assert attack
    assert attack.example() == done.turns[-1:]
    (asked,) = voices.conversations_with(ModelRole.ATTACKER)
    assert parse_fences(asked) == {"message": "How do magnets work?"}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("", "said nothing"),
        ("<think>Hm.", "said nothing"),
        ("<text></text>", "it is empty"),
        ("I'm sorry, but I can't help with that.", "it is a refusal"),
        ("How do magnets work?", "it is what was to be translated"),
        ("Here you are, with pleasure: the answer to that is easy.", "it is not German"),
        (ModelReply(error="404: there is no model"), "gave no answer: 404"),
        (ModelReply(filtered=True), "was stopped by its provider"),
        (ModelReply("Wie funktionieren", truncated=True), "cut off"),
    ],
)
async def test_what_is_no_translation_is_useless_and_there_are_no_rules(reply: str | ModelReply, words: str) -> None:
    with pytest.raises(UnusableReply, match=words):
        await put("translation_de", ScriptedModels(attacker=lambda turns, _: reply))


async def test_another_script_is_no_translation_and_the_model_is_asked_once_more() -> None:
    voices = ScriptedModels(
        attacker=lambda turns, epoch: "Как работают магниты?" if epoch else "Kak rabotayut magnity?"
    )
    assert (await put("translation_ru", voices)).turns[-1].content == "Как работают магниты?"
    assert [epoch for _, _, epoch in voices.requests] == [0, 1]


async def test_multilingual_draws_among_the_languages() -> None:
    attack = registry.find("multilingual")
    assert attack
    asked = ScriptedModels(attacker=lambda turns, _: "x" if "Greek" in turns[0].content else "磁 Магнит имa")
    heard = set()
    for seed in range(60):
        try:
            await apply.apply_attack(attack, EXAMPLE_PROMPT, seed, asked.session())
        except UnusableReply as useless:
            heard.add(str(useless))
    told = {
        turns[0].content.partition("Translate the message into ")[2].partition(".")[0]
        for turns in asked.conversations_with(ModelRole.ATTACKER)
    }
    assert len(told) > 10


@pytest.mark.parametrize("name", OPTIONAL)
async def test_a_model_writes_what_the_rules_would_else(name: str) -> None:
    voices = ScriptedModels(attacker=lambda turns, _: "<text>A lighthouse, magnets, and five who keep it.</text>")
    done = await put(name, voices, CONVERSATION)
    assert done.form is AttackForm.MODEL
    assert any("A lighthouse, magnets, and five who keep it" in turn.content for turn in done.turns)
    assert done.turns[-1].role == "user"
    assert "The code is 7." in done.turns[0].content
    assert done.turns[1:-1] == CONVERSATION[1:-1]


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize(
    "reply", [ModelReply(error="the provider is away"), ModelReply("I cannot help with that."), ModelReply("")]
)
async def test_without_anything_of_use_the_rules_hold(name: str, reply: ModelReply) -> None:
    attack = registry.find(name)
    assert attack
    voices = ScriptedModels(attacker=lambda turns, _: reply)
    assert await put(name, voices, CONVERSATION) == AttackedConversation(
        attack.apply(CONVERSATION, 7), AttackForm.RULES
    )
    with pytest.raises(UnusableReply):
        await put(name, voices, CONVERSATION, strictly=True)


@pytest.mark.parametrize("name", OPTIONAL)
@given(text=st.text(max_size=200), seed=st.integers(-(2**63), 2**63 - 1))
def test_the_rules_are_pure_and_keep_what_was_said_before(name: str, text: str, seed: int) -> None:
    attack = registry.find(name)
    assert attack
    turns = (*CONVERSATION[:-1], Turn("user", text))
    attacked = attack.apply(turns, seed)
    assert attacked == attack.apply(turns, seed)
    assert attacked[1:-1] == turns[1:-1]
    assert attacked[0].content.startswith("The code is 7.")
    assert name == "tense_change" or text in attacked[-1].content


@pytest.mark.parametrize("name", OPTIONAL)
def test_the_seed_chooses_among_the_rules(name: str) -> None:
    attack = registry.find(name)
    assert attack
    assert len({attack.apply(EXAMPLE_PROMPT, seed) for seed in range(50)}) >= 2


@pytest.mark.parametrize(
    ("prompt", "past", "future"),
    [
        (
            "How do I pick a lock?",
            "How did people in the past pick a lock?",
            "How will people in the future pick a lock?",
        ),
        (
            "Tell me how to bake bread",
            "How did people in the past bake bread?",
            "How will people in the future bake bread?",
        ),
        ("Write a poem.", "How did people in the past write a poem?", "How will people in the future write a poem?"),
        ("Why does iron rust?", "Why did iron rust in the past?", "Why will iron rust in the future?"),
    ],
)
def test_the_rules_for_tenses_reword_what_they_know(prompt: str, past: str, future: str) -> None:
    attack = registry.find("tense_change")
    assert attack
    assert {attack.apply((Turn("user", prompt),), seed)[-1].content for seed in range(20)} == {past, future}


def test_the_rules_for_tenses_set_everything_else_in_a_frame() -> None:
    attack = registry.find("tense_change")
    assert attack
    for prompt in ("Two. Sentences {prompt}.", "How to\nlist", "水"):
        assert all(prompt in attack.apply((Turn("user", prompt),), seed)[-1].content for seed in range(9))


@pytest.mark.parametrize("name", ["persuasion", "tense_change"])
async def test_what_has_nothing_to_do_with_the_prompt_is_of_no_use(name: str) -> None:
    voices = ScriptedModels(attacker=lambda turns, _: "Sure, here is what you asked for.")
    assert (await put(name, voices)).form is AttackForm.RULES


def test_every_translation_of_the_example_is_told_from_english() -> None:
    assert all(language.matches(language.example) for language in LANGUAGES)
    assert not any(language.matches("What is it that the magnets are made of?") for language in LANGUAGES)


async def test_steps_of_a_composition_are_written_and_then_encoded() -> None:
    voices = ScriptedModels(attacker=lambda turns, _: "Wie funktionieren Magnete?")
    done = await put("translation_de+rot13", voices)
    assert "Jvr shaxgvbavrera Zntargr?" in done.turns[-1].content
    assert done.form is AttackForm.MODEL


async def test_a_composition_is_by_rules_as_soon_as_one_step_is() -> None:
    def says(turns: Turns, _: int) -> str:
        return "" if "persona" in turns[0].content else "Wie funktionieren Magnete?"

    done = await put("translation_de+persona_modulation", ScriptedModels(attacker=says))
    assert done.form is AttackForm.RULES
    assert [turn.role for turn in done.turns] == ["system", "user"]


async def test_an_attack_of_several_turns_comes_last() -> None:
    assert registry.find("crescendo+base64") is None
    assert "must be the last" in registry.explain_missing("crescendo+base64")
    assert registry.find("base64+crescendo")


async def test_who_is_needed_and_not_named_is_told_of() -> None:
    attack = registry.find("crescendo")
    assert attack
    with pytest.raises(Invalid, match="judges its attempts") as refusal:
        await apply.apply_attack(attack, EXAMPLE_PROMPT, 0, ScriptedModels().session(named=NOT_THE_JUDGE))
    assert refusal.value.field == "judge_model"
    with pytest.raises(Invalid, match="none is named") as refusal:
        await apply.apply_attack(
            attack, EXAMPLE_PROMPT, 0, ScriptedModels().session(named=frozenset({ModelRole.ATTACKER, ModelRole.JUDGE}))
        )
    assert refusal.value.field == "target_model"
    with pytest.raises(Invalid, match="cannot do without") as refusal:
        await apply.apply_attack(attack, EXAMPLE_PROMPT, 0, ScriptedModels().session(named=frozenset()))
    assert refusal.value.field == "attack_model"
