from __future__ import annotations

import re
from collections import Counter

import pytest

from libra.attack.catalogue import registry
from libra.dispatch.catalogue import entry as entries
from libra.dispatch.catalogue import index
from libra.dispatch.spec.judge_resolution import judge_of
from libra.dispatch.spec.registry import Registry
from libra.errors import Invalid, NotFound
from libra.judge.proto_mapping import to_proto
from libra.judge.registry import JUDGES
from libra.judge.service import checked_judge
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import CatalogueState, Category, JudgeSpec, Task

from .shapes import SHAPES

ENTRIES = index.entries()
BY_CATEGORY = {"direct_risky": 33, "adversarial": 18, "instruction_hierarchy": 4, "over_sensitive": 2}
MULTI_TURN = {"anthropic_redteam", "bad", "dices350", "latent_jailbreak"}
SAMPLES = {"bbq": 58492, "hack_a_prompt": 41596, "librai_adv_tense_change": 4115, "xstest": 450, "confaide": 1326}
RISKS = {"privacy": 4, "bias": 5, "misinformation": 2, "ethics": 2, "cybersecurity": 1, "toxicity": 1, "value": 1}
LEAST = """
name: mine
category: direct_risky
judge: {name: harm}
state: importable
turns: single
published_samples: 3
conversion: The prompt is the user's turn.
"""


def test_the_57_tasks_of_the_published_evaluation_are_there() -> None:
    categories = Counter(Category.Name(one.card.category)[9:].lower() for one in ENTRIES.values())
    assert categories == BY_CATEGORY
    assert {name for name, one in ENTRIES.items() if one.multi_turn} == MULTI_TURN
    assert {name: ENTRIES[name].published_samples for name in SAMPLES} == SAMPLES
    risks = Counter(one.card.risk for one in ENTRIES.values())
    assert {risk: n for risk, n in risks.items() if risk != "broad"} == RISKS
    assert list(ENTRIES) == sorted(ENTRIES) == sorted(SHAPES)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_card_says_all_there_is_to_say(name: str) -> None:
    one = ENTRIES[name]
    card = one.card
    assert card.name == name
    assert all([card.risk, card.licence, card.description, card.metric, card.source, card.languages, one.conversion])
    assert one.state in {CatalogueState.CATALOGUE_STATE_IMPORTABLE, CatalogueState.CATALOGUE_STATE_NOT_PUBLIC}
    assert bool(one.dataset) == bool(one.split)
    if one.state == CatalogueState.CATALOGUE_STATE_IMPORTABLE:
        assert one.dataset or re.search(r"github\.com/|libra_eval/datasets/", card.source)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_judge_takes_the_cards_options_and_a_run_adds_its_model(name: str) -> None:
    card = ENTRIES[name].card
    spec = JudgeSpec(name=card.judge, options=card.options)
    task = Task(name=name, judge=spec)
    judges = {kind.name: to_proto(kind) for kind in JUDGES.values()}
    models = Registry(models=frozenset({"judge-1"}), tasks={}, attacks={}, judges=judges)
    checked_judge(judge_of(task, RunSpec(judge_model="judge-1"), models))
    if card.judge == "harm":  # whoever has no judge model puts the rule in its place
        checked_judge(judge_of(task, RunSpec(judges={name: "refusal"}), models))


@pytest.mark.parametrize("name", [name for name in ENTRIES if name.startswith("librai_adv_")])
def test_a_rebuilt_task_names_an_attack_that_there_is(name: str) -> None:
    attack = name.removeprefix("librai_adv_")
    assert f"the attack {attack}" in ENTRIES[name].card.source
    found = registry.find(attack)
    assert found
    assert found.name == attack


def test_a_name_that_is_not_known_is_answered_with_those_that_come_near() -> None:
    with pytest.raises(NotFound, match="did you mean xstest"):
        index.named("xtest")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("state: importable", "state: lost"), "no state 'lost'"),
        (("turns: single", "turns: many"), "no kind of turns 'many'"),
        (("published_samples: 3\n", ""), "'published_samples' is missing"),
        (("name: harm", "nome: harm"), "judge.nome"),
        (("conversion:", "record: {usr: x}\nconversion:"), "record.usr"),
        (("conversion:", "record: {prepare: magic}\nconversion:"), "no preparation 'magic'"),
        (("conversion:", "record: {labels: {a: {form: b}}}\nconversion:"), "record.labels.a.form"),
        (("conversion:", "record: {fields: {a: b}}\nconversion:"), "a list of texts"),
    ],
)
def test_a_card_with_a_fault_is_refused(change: tuple[str, str], word: str) -> None:
    assert entries.parse(LEAST, file_name="mine.yaml").card.name == "mine"
    with pytest.raises(Invalid, match=f"mine.yaml: .*{re.escape(word)}"):
        entries.parse(LEAST.replace(*change), file_name="mine.yaml")
