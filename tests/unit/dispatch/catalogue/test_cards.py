from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files

import pytest

from libra.attack.catalogue import registry
from libra.core.category_names import category_name
from libra.core.errors import Invalid, NotFound
from libra.dispatch.catalogue import index
from libra.dispatch.catalogue.catalogue_card import parse_catalogue_card
from libra.dispatch.spec.judge_resolution import resolve_judge
from libra.dispatch.spec.registry import Registry
from libra.dispatch.tasks.card import find_cards
from libra.judge.proto_mapping import to_proto
from libra.judge.registry import JUDGES
from libra.judge.service import checked_judge
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import CatalogueState, JudgeSpec, Task

from .shapes import SHAPES

CARDS = index.load_cards()
BY_CATEGORY = {"direct_risky": 34, "adversarial": 18, "instruction_hierarchy": 4, "over_sensitive": 3}
MULTI_TURN = {"anthropic_redteam", "bad", "dices350", "latent_jailbreak"}
SAMPLES = {"bbq": 58492, "hack_a_prompt": 41596, "librai_adv_tense_change": 4115, "xstest": 450, "confaide": 1326}
RISKS = {"privacy": 4, "bias": 5, "misinformation": 2, "ethics": 2, "cybersecurity": 1, "toxicity": 1, "value": 1}
MINIMAL = """
name: mine
category: direct_risky
judge: {name: harm}
state: importable
turns: single
published_samples: 3
conversion: The prompt is the user's turn.
"""


def test_there_is_a_card_for_each_of_the_57_published_tasks_and_for_both_halves_of_xstest() -> None:
    categories = Counter(category_name(source.card.category) for source in CARDS.values())
    assert categories == BY_CATEGORY
    assert {name for name, source in CARDS.items() if source.is_multi_turn} == MULTI_TURN
    assert {name: CARDS[name].published_samples for name in SAMPLES} == SAMPLES
    risks = Counter(source.card.risk for source in CARDS.values())
    assert {risk: n for risk, n in risks.items() if risk != "broad"} == RISKS
    assert list(CARDS) == sorted(CARDS) == sorted(SHAPES)


def test_a_card_is_in_the_folder_of_its_category_or_its_risk() -> None:
    for file_name, folder in find_cards(files("libra.dispatch.catalogue") / "cards").items():
        source = CARDS[file_name.removesuffix(".yaml")]
        category = category_name(source.card.category)
        path = f"{category}/{source.card.risk}" if category == "direct_risky" else category
        assert str(folder).endswith(f"cards/{path}")


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_complete(name: str) -> None:
    source = CARDS[name]
    card = source.card
    assert card.name == name
    assert all([card.risk, card.licence, card.description, card.metric, card.source, card.languages, source.conversion])
    assert source.state in {CatalogueState.CATALOGUE_STATE_IMPORTABLE, CatalogueState.CATALOGUE_STATE_NOT_PUBLIC}
    assert bool(source.dataset) == bool(source.split)
    if source.state == CatalogueState.CATALOGUE_STATE_IMPORTABLE:
        assert source.dataset or re.search(r"github\.com/|libra_eval/datasets/", card.source)


@pytest.mark.parametrize("name", CARDS)
def test_the_judge_accepts_the_cards_options_and_the_runs_judge_model(name: str) -> None:
    card = CARDS[name].card
    spec = JudgeSpec(name=card.judge, options=card.options)
    task = Task(name=name, judge=spec)
    judges = {judge_type.name: to_proto(judge_type) for judge_type in JUDGES.values()}
    run_registry = Registry(models=frozenset({"judge-1"}), tasks={}, attacks={}, judges=judges)
    checked_judge(resolve_judge(task, RunSpec(judge_model="judge-1"), run_registry))
    if card.judge == "harm":  # without a judge model, a run uses the rule instead
        checked_judge(resolve_judge(task, RunSpec(judges={name: "refusal"}), run_registry))


@pytest.mark.parametrize("name", [name for name in CARDS if name.startswith("librai_adv_")])
def test_a_rebuilt_task_names_an_existing_attack(name: str) -> None:
    attack = name.removeprefix("librai_adv_")
    assert f"the attack {attack}" in CARDS[name].card.source
    found = registry.find(attack)
    assert found
    assert found.name == attack


def test_an_unknown_name_gets_the_nearest_names() -> None:
    with pytest.raises(NotFound, match="did you mean xstest"):
        index.find_card("xtest")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("state: importable", "state: lost"), "no state 'lost'"),
        (("turns: single", "turns: many"), "no value of turns 'many'"),
        (("published_samples: 3\n", ""), "'published_samples' is missing"),
        (("name: harm", "nome: harm"), "judge.nome"),
        (("conversion:", "record: {usr: x}\nconversion:"), "record.usr"),
        (("conversion:", "record: {prepare: magic}\nconversion:"), "no preparation 'magic'"),
        (("conversion:", "record: {labels: {a: {form: b}}}\nconversion:"), "record.labels.a.form"),
        (("conversion:", "record: {fields: {a: b}}\nconversion:"), "must be a list of texts"),
    ],
)
def test_an_invalid_card_is_rejected(change: tuple[str, str], message: str) -> None:
    assert parse_catalogue_card(MINIMAL, file_name="mine.yaml").card.name == "mine"
    with pytest.raises(Invalid, match=f"mine.yaml: .*{re.escape(message)}"):
        parse_catalogue_card(MINIMAL.replace(*change), file_name="mine.yaml")
