from __future__ import annotations

import pytest

from libra.dispatch.scheduling.batches import header
from libra.dispatch.spec.attack_checks import check_models
from libra.dispatch.spec.registry import Registry
from libra.errors import Invalid
from libra.store.runs import RunSection
from libra.v1.attack_pb2 import Attack, ModelUse
from libra.v1.run_pb2 import Run, RunSpec
from libra.v1.task_pb2 import Category

NEVER, OPTIONAL, REQUIRED = ModelUse.MODEL_USE_NEVER, ModelUse.MODEL_USE_OPTIONAL, ModelUse.MODEL_USE_REQUIRED
ATTACKS = (
    Attack(name="none", model_use=NEVER),
    Attack(name="base64", model_use=NEVER),
    Attack(name="tense_change", model_use=OPTIONAL),
    Attack(name="translation_de", model_use=REQUIRED),
    Attack(name="crescendo", model_use=REQUIRED, multi_turn=True),
)
REGISTRY = Registry(
    models=frozenset({"one", "writer", "judge-1"}),
    tasks={},
    attacks={attack.name: attack for attack in ATTACKS},
    judges={},
)


def check(*attacks: str, attack_model: str = "", judge_model: str = "") -> tuple[str, ...]:
    spec = RunSpec(models=["one"], attacks=attacks, attack_model=attack_model, judge_model=judge_model)
    return check_models(spec, REGISTRY)


@pytest.mark.parametrize(
    ("attacks", "models", "field", "words"),
    [
        (["none"], {"attack_model": "writr"}, "spec.attack_model", "did you mean writer"),
        (["none", "translation_de"], {}, "spec.attack_model", "translation_de cannot do without a model"),
        (["translation_de+base64"], {}, "spec.attack_model", "translation_de.base64 cannot do without"),
        (["crescendo"], {"judge_model": "judge-1"}, "spec.attack_model", "crescendo cannot do without"),
        (["crescendo"], {"attack_model": "writer"}, "spec.judge_model", "name a judge_model"),
        (
            ["none", "crescendo+base64"],
            {"attack_model": "writer", "judge_model": "judge-1"},
            "spec.attacks[1]",
            "it must be the last",
        ),
    ],
)
def test_a_run_whose_attacks_lack_a_model_is_refused(
    attacks: list[str], models: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as refusal:
        check(*attacks, **models)
    assert refusal.value.field == field


def test_what_is_made_by_rules_is_said() -> None:
    assert check("none", "base64") == ()
    (warning,) = check("none", "tense_change+base64")
    assert warning.startswith("tense_change+base64 is made by its rules")
    assert check("tense_change", attack_model="writer") == ()


def test_a_model_that_writes_for_nothing_is_said() -> None:
    (warning,) = check("none", "base64", attack_model="writer")
    assert warning == "writer writes for no attack: none of this run asks a model"


def test_an_attack_of_several_turns_may_come_last() -> None:
    assert check("base64+crescendo", attack_model="writer", judge_model="judge-1") == ()


@pytest.mark.parametrize(("attack", "writer", "judge"), [("none", "", ""), ("crescendo", "writer", "judge-1")])
def test_a_batch_under_attack_names_the_models(attack: str, writer: str, judge: str) -> None:
    run = Run(id="r", spec=RunSpec(attack_model="writer", judge_model="judge-1"))
    head = header(run, RunSection("t@1", attack, Category.CATEGORY_DIRECT_RISKY, 3), "one", sending=0)
    assert (head.attack_model, head.attack_judge_model) == (writer, judge)
