from __future__ import annotations

import pytest

from libra.core.errors import Invalid
from libra.dispatch.spec.attack_checks import check_attack_models
from libra.dispatch.spec.registry import Registry
from libra.v1.attack_pb2 import Attack, ModelUse
from libra.v1.run_pb2 import RunSpec

NEVER, OPTIONAL, REQUIRED = ModelUse.MODEL_USE_NEVER, ModelUse.MODEL_USE_OPTIONAL, ModelUse.MODEL_USE_REQUIRED
ATTACKS = (
    Attack(name="none", model_use=NEVER),
    Attack(name="base64", model_use=NEVER),
    Attack(name="tense_change", model_use=OPTIONAL),
    Attack(name="translation_de", model_use=REQUIRED),
    Attack(name="crescendo", model_use=REQUIRED, multi_turn=True, rewrites_request=True),
    Attack(name="persuasion", model_use=OPTIONAL, rewrites_request=True),
)
REGISTRY = Registry(
    models=frozenset({"one", "writer", "judge-1"}),
    tasks={},
    attacks={attack.name: attack for attack in ATTACKS},
    judges={},
)


def check(*attacks: str, attack_model: str = "", judge_model: str = "") -> tuple[str, ...]:
    spec = RunSpec(models=["one"], attacks=attacks, attack_model=attack_model, judge_model=judge_model)
    return check_attack_models(spec, REGISTRY)


@pytest.mark.parametrize(
    ("attacks", "models", "field", "message"),
    [
        (["none"], {"attack_model": "writr"}, "spec.attack_model", "did you mean writer"),
        (["none", "translation_de"], {}, "spec.attack_model", "translation_de needs a model that writes it"),
        (["translation_de+base64"], {}, "spec.attack_model", "translation_de.base64 needs a model that writes it"),
        (["crescendo"], {"judge_model": "judge-1"}, "spec.attack_model", "crescendo needs a model that writes it"),
        (["crescendo"], {"attack_model": "writer"}, "spec.judge_model", "name a judge_model"),
        (
            ["none", "crescendo+base64"],
            {"attack_model": "writer", "judge_model": "judge-1"},
            "spec.attacks[1]",
            "must be the last",
        ),
    ],
)
def test_a_run_whose_attacks_lack_a_model_is_rejected(
    attacks: list[str], models: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(Invalid, match=message) as refusal:
        check(*attacks, **models)
    assert refusal.value.field == field


def test_a_warning_names_the_attacks_that_are_written_by_rules() -> None:
    assert check("none", "base64") == ()
    (warning,) = check("none", "tense_change+base64")
    assert warning.startswith("tense_change+base64 is written by rules")
    assert check("tense_change", attack_model="writer") == ()


def test_a_warning_names_an_attack_model_that_no_attack_uses() -> None:
    (warning,) = check("none", "base64", attack_model="writer")
    assert warning == "the attack model writer is not used: no attack of this run queries a model"


def test_a_multi_turn_attack_may_be_the_last_of_a_composition() -> None:
    assert check("base64+crescendo", attack_model="writer", judge_model="judge-1") == ()


def test_a_warning_names_the_attacks_that_rules_cannot_judge() -> None:
    (warning,) = check("none", "persuasion+base64", attack_model="writer")
    assert warning.startswith("persuasion+base64 rewrites the request")
    assert "name a judge_model" in warning
    assert check("persuasion", attack_model="writer", judge_model="judge-1") == ()
