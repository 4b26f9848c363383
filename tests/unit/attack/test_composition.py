"""`a+b` is b applied to the result of a."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import Attack, ModelUse
from libra.attack.catalogue.composition import compose
from libra.attack.conversation import Turn, Turns
from libra.core.errors import Invalid
from libra.v1 import attack_pb2

SEEDS = st.integers(-(2**63), 2**63 - 1)
STEPS = st.lists(st.sampled_from(["ciphering", "few_shots", "refusal_suppression"]), min_size=2, max_size=5)


@given(names=STEPS, text=st.text(max_size=40), seed=SEEDS)
def test_a_composition_applies_its_steps_in_order(names: list[str], text: str, seed: int) -> None:
    turns: Turns = (Turn("system", "Be brief."), Turn("user", text))
    composition = registry.find("+".join(names))
    assert composition
    assert composition.name == "+".join(names)
    assert composition.version == "+".join("1" for _ in names)
    step_by_step = turns
    for name in names:
        step = registry.find(name)
        assert step
        step_by_step = step.apply(step_by_step, seed)
    assert composition.apply(turns, seed) == step_by_step


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("few_shots+few_shot", "no attack 'few_shot': did you mean few_shots"),
        ("few_shots+", "no attack ''"),
        ("+", "no attack ''"),
        ("few_shots+none", "none is no attack"),
        ("+".join(["few_shots"] * 6), "6 attacks are joined"),
        ("few_shot", "did you mean few_shots"),
    ],
)
def test_an_invalid_composition_is_not_found_and_the_reason_is_explained(name: str, words: str) -> None:
    assert registry.find(name) is None
    assert words in registry.explain_missing(name)


def test_a_composition_needs_a_model_if_one_step_does() -> None:
    asks = Attack("asks", "1", "Asks.", "this test", None, model_use=ModelUse.REQUIRED, multi_turn=True)
    shots = registry.ATTACKS["few_shots"]
    both = compose([shots, asks])
    assert both.model_use is ModelUse.REQUIRED
    assert both.multi_turn
    assert both.example() == ()
    with pytest.raises(Invalid, match="asks needs a model that writes it") as error:
        both.apply((Turn("user", "?"),), 0)
    assert error.value.field == "attack_model"


def test_the_listing_holds_single_attacks_only() -> None:
    assert not any("+" in attack.name for attack in registry.list_attacks())


def test_model_uses_are_numbered_as_in_the_protos() -> None:
    assert {f"MODEL_USE_{use.name}": use.value for use in ModelUse} == {
        name: number for name, number in attack_pb2.ModelUse.items() if number
    }
