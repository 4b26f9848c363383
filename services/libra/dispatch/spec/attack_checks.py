"""Check that a run names the models that its attacks need."""

from __future__ import annotations

from collections.abc import Iterator

from libra.core.attack_names import JOIN
from libra.core.errors import Invalid, unknown
from libra.dispatch.spec.registry import Registry
from libra.v1.attack_pb2 import Attack, ModelUse
from libra.v1.run_pb2 import RunSpec

MODEL_WRITTEN = (ModelUse.MODEL_USE_OPTIONAL, ModelUse.MODEL_USE_REQUIRED)


def check_attack_models(spec: RunSpec, registry: Registry) -> tuple[str, ...]:
    """Return a warning for each choice that users may not expect.

    Raises:
        Invalid: The attack model is not registered, or an attack needs a model that the run does not name.
    """
    if spec.attack_model and spec.attack_model not in registry.models:
        raise Invalid(unknown("model", spec.attack_model, sorted(registry.models)), field="spec.attack_model")
    for index, name in enumerate(spec.attacks):
        check_attack(name, spec, registry, field=f"spec.attacks[{index}]")
    return tuple(warnings(spec, registry))


def check_attack(name: str, spec: RunSpec, registry: Registry, *, field: str) -> None:
    """Raise Invalid if the attack cannot be applied with the models that the run names."""
    steps = steps_of(name, registry)
    if any(step.model_use == ModelUse.MODEL_USE_REQUIRED for step in steps) and not spec.attack_model:
        raise Invalid(
            f"the attack {name} needs a model that writes it; name an attack_model", field="spec.attack_model"
        )
    if any(step.multi_turn for step in steps) and not spec.judge_model:
        raise Invalid(
            f"the attack {name} needs a model that judges its attempts; name a judge_model", field="spec.judge_model"
        )
    if any(step.multi_turn for step in steps[:-1]):
        raise Invalid(
            f"{name} applies another attack after a multi-turn attack; a multi-turn attack must be the last",
            field=field,
        )


def warnings(spec: RunSpec, registry: Registry) -> Iterator[str]:
    """Yield a warning for attacks by rules, attacks that rules cannot judge, and an attack model that is not used."""
    written = [
        name for name in spec.attacks if any(step.model_use in MODEL_WRITTEN for step in steps_of(name, registry))
    ]
    if spec.attack_model and not written:
        yield f"the attack model {spec.attack_model} is not used: no attack of this run queries a model"
    if not spec.attack_model:
        yield from (f"{name} is written by rules, because the run names no attack_model" for name in written)
    if not spec.judge_model:
        rewriting = [name for name in spec.attacks if any(step.rewrites_request for step in steps_of(name, registry))]
        yield from (
            f"{name} rewrites the request: a rule cannot tell whether an answer does what it aimed at, and leaves it "
            "UNJUDGED unless it refuses; name a judge_model"
            for name in rewriting
        )


def model_attacks(spec: RunSpec, registry: Registry) -> frozenset[str]:
    """Return the attacks that ask models in this run: an attack model that writes, or a judge of attempts."""
    return frozenset(
        name
        for name in spec.attacks
        if any(
            step.multi_turn or (spec.attack_model and step.model_use in MODEL_WRITTEN)
            for step in steps_of(name, registry)
        )
    )


def steps_of(name: str, registry: Registry) -> list[Attack]:
    """Return the attacks of a composition in their order; a single attack is a composition of one."""
    return [registry.attacks[step] for step in name.split(JOIN)]
