"""Whether the attacks of a run have the models that they ask."""

from __future__ import annotations

from collections.abc import Iterator

from libra.contracts.attacks import JOIN
from libra.dispatch.spec.registry import Registry
from libra.errors import Invalid, unknown
from libra.v1.attack_pb2 import Attack, ModelUse
from libra.v1.run_pb2 import RunSpec

"""Stands between the names of attacks that are applied one after the other."""

ASKING = (ModelUse.MODEL_USE_OPTIONAL, ModelUse.MODEL_USE_REQUIRED)


def check_models(spec: RunSpec, registry: Registry) -> tuple[str, ...]:
    """Return a sentence for each thing that is done otherwise than one may expect.

    Raises Invalid if the model that writes for attacks is not registered, or an attack needs a model that is not named.
    """
    if spec.attack_model and spec.attack_model not in registry.models:
        raise Invalid(unknown("model", spec.attack_model, sorted(registry.models)), field="spec.attack_model")
    for place, name in enumerate(spec.attacks):
        check_attack(name, spec, registry, field=f"spec.attacks[{place}]")
    return tuple(warnings(spec, registry))


def check_attack(name: str, spec: RunSpec, registry: Registry, *, field: str) -> None:
    """Refuse an attack that cannot be put with the models that the run names."""
    steps = steps_of(name, registry)
    if any(step.model_use == ModelUse.MODEL_USE_REQUIRED for step in steps) and not spec.attack_model:
        raise Invalid(
            f"the attack {name} cannot do without a model that writes it; name an attack_model",
            field="spec.attack_model",
        )
    if any(step.multi_turn for step in steps) and not spec.judge_model:
        raise Invalid(
            f"the attack {name} needs a model that judges its attempts; name a judge_model", field="spec.judge_model"
        )
    if any(step.multi_turn for step in steps[:-1]):
        raise Invalid(f"in {name}, an attack of several turns stands before another; it must be the last", field=field)


def warnings(spec: RunSpec, registry: Registry) -> Iterator[str]:
    """Yield what is done by rules for want of a model, and that a model is named for nothing."""
    asking = [name for name in spec.attacks if any(step.model_use in ASKING for step in steps_of(name, registry))]
    if spec.attack_model and not asking:
        yield f"{spec.attack_model} writes for no attack: none of this run asks a model"
    if not spec.attack_model:
        yield from (f"{name} is made by its rules: no attack_model is named that would write it" for name in asking)


def steps_of(name: str, registry: Registry) -> list[Attack]:
    """Return the attacks that a name joins, in their order; one for the name of a single attack."""
    return [registry.attacks[step] for step in name.split(JOIN)]
