"""Resolve the spec of a run: check it against the registry, fill in the defaults, and divide it into sections."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from libra.core.attack_names import JOIN, MAX_STEPS, PLAIN
from libra.core.category_names import CATEGORIES
from libra.core.errors import Invalid, unknown
from libra.core.parameter_limits import check_parameters
from libra.dispatch.spec.attack_checks import check_attack_models, model_attacks
from libra.dispatch.spec.judge_resolution import check_judge_names, expand_judge_wildcard, resolve_judge
from libra.dispatch.spec.registry import EVERY_TASK, Registry, task_reference
from libra.dispatch.spec.sample_selection import is_applicable, scored_category, select_samples
from libra.store.runs import RunSection
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import Task

MAX_NAME_CHARACTERS = 200
MAX_EPOCHS = 1_000

MAX_TRIALS_PER_MODEL = 1_000_000_000
"""A billion trials take half a year at two thousand per second; a larger number is a typing error."""


@dataclass(frozen=True, slots=True)
class ResolvedSpec:
    """A valid spec, ready to run."""

    spec: RunSpec
    """With every wildcard and default replaced by its value."""

    sections: tuple[RunSection, ...]
    """The trials of one model, in order."""

    warnings: tuple[str, ...]
    """The parts of the selection that the run does not evaluate, with the reasons."""

    model_attacks: frozenset[str] = frozenset()
    """The attacks of the spec that ask models."""


def resolve(requested: RunSpec, registry: Registry) -> ResolvedSpec:
    """Return the complete spec with its sections; raise Invalid naming the first field at fault."""
    spec = RunSpec()
    spec.CopyFrom(requested)
    check_numbers(spec)
    check_parameters(spec.parameters, field="spec.parameters")
    check_schema(spec.parameters.json_schema)
    spec.epochs = spec.epochs or 1
    spec.models[:] = unique_models(spec.models, sorted(registry.models))
    spec.attacks[:] = unique_attacks(spec.attacks or [PLAIN], sorted(registry.attacks))
    tasks = select_tasks(spec.tasks, registry)
    spec.tasks[:] = [task_reference(task) for task in tasks]
    expand_judge_wildcard(spec, tasks)
    check_judge_names(spec, tasks, registry)
    sections = build_sections(spec, tasks, registry)
    warnings = (*skip_warnings(spec, tasks), *check_attack_models(spec, registry))
    return ResolvedSpec(spec, sections, warnings, model_attacks(spec, registry))


def check_numbers(spec: RunSpec) -> None:
    """Raise Invalid for a number that is negative or above its limit, or a name that is too long."""
    if len(spec.name) > MAX_NAME_CHARACTERS:
        raise Invalid(
            f"the name has {len(spec.name)} characters; the limit is {MAX_NAME_CHARACTERS}", field="spec.name"
        )
    if spec.samples_per_task < 0:
        raise Invalid(
            f"samples_per_task must be 0 (all samples) or more, not {spec.samples_per_task}",
            field="spec.samples_per_task",
        )
    if not 0 <= spec.epochs <= MAX_EPOCHS:
        raise Invalid(f"epochs must be from 0 (the default: 1) to {MAX_EPOCHS}, not {spec.epochs}", field="spec.epochs")


def check_schema(schema: str) -> None:
    """Raise Invalid unless the schema is empty or a JSON object; only the provider can check its meaning."""
    try:
        is_valid = not schema or isinstance(json.loads(schema), dict)
    except (ValueError, RecursionError):
        is_valid = False
    if not is_valid:
        raise Invalid("json_schema must be a JSON object, as text", field="spec.parameters.json_schema")


def unique_models(names: Sequence[str], valid: Sequence[str]) -> list[str]:
    """Return the names in their order without repeats; raise Invalid if one is unknown or there is none."""
    field = "spec.models"
    if not names:
        raise Invalid(f"name at least one model; there are: {', '.join(valid[:20]) or 'none yet'}", field=field)
    for index, name in enumerate(names):
        if name not in valid:
            raise Invalid(unknown("model", name, valid), field=f"{field}[{index}]")
    return list(dict.fromkeys(names))


def unique_attacks(names: Sequence[str], valid: Sequence[str]) -> list[str]:
    """Return the names in their order without repeats; each is an attack or a composition of several, `a+b`.

    Raises:
        Invalid: A name is neither.
    """
    for index, name in enumerate(names):
        steps, field = name.split(JOIN), f"spec.attacks[{index}]"
        if len(steps) > MAX_STEPS:
            raise Invalid(f"{name!r:.80} joins {len(steps)} attacks; the limit is {MAX_STEPS}", field=field)
        for step in steps:
            if step not in valid:
                raise Invalid(unknown("attack", step, valid), field=field)
            if step == PLAIN != name:
                raise Invalid(f"{PLAIN!r} cannot be joined with an attack, as in {name!r:.80}", field=field)
    return list(dict.fromkeys(names))


def select_tasks(selectors: Sequence[str], registry: Registry) -> list[Task]:
    """Return the tasks that the selectors match, without repeats, in order of name.

    A selector is a name, a "name@version", a category or "*".
    """
    if not selectors:
        raise Invalid('name at least one task; "*" selects every task', field="spec.tasks")
    selected: dict[str, Task] = {}
    for index, selector in enumerate(selectors):
        for task in matching_tasks(selector, registry, field=f"spec.tasks[{index}]"):
            selected[task_reference(task)] = task
    if not selected:
        raise Invalid(f"{', '.join(selectors)} selects no task; `libra tasks list` lists the tasks", field="spec.tasks")
    return [selected[name] for name in sorted(selected)]


def matching_tasks(selector: str, registry: Registry, *, field: str) -> Iterable[Task]:
    """Return the tasks that one selector matches; "*" and a category may match none."""
    newest = [registry.tasks[name] for name in registry.task_names()]
    if selector == EVERY_TASK:
        return newest
    if selector in CATEGORIES:
        return [task for task in newest if task.category == CATEGORIES[selector]]
    if selector in registry.tasks:
        return [registry.tasks[selector]]
    raise Invalid(unknown("task", selector, [*registry.tasks, *CATEGORIES]), field=field)


def build_sections(spec: RunSpec, tasks: Sequence[Task], registry: Registry) -> tuple[RunSection, ...]:
    """Return the trials of one model: each task under each attack that applies to it, in the spec's order."""
    sections = []
    for task in tasks:
        judge, reference = resolve_judge(task, spec, registry), task_reference(task)
        samples = select_samples(reference, task.sample_count, spec.samples_per_task, spec.seed)
        sections += [
            RunSection(
                reference,
                attack,
                scored_category(attack, task.category),
                len(samples) * spec.epochs,
                judge,
                task.balanced_by,
            )
            for attack in spec.attacks
            if is_applicable(attack, task.category)
        ]
    if not sections:
        raise Invalid(
            f"no task is left: {', '.join(spec.attacks)} applies only to tasks in direct_risky, adversarial and "
            f'instruction_hierarchy; add the attack "{PLAIN}" for prompts without an attack',
            field="spec.attacks",
        )
    if (trials := total_trials(sections)) > MAX_TRIALS_PER_MODEL:
        raise Invalid(f"{trials:,} trials per model; the limit is {MAX_TRIALS_PER_MODEL:,}", field="spec.tasks")
    return tuple(sections)


def total_trials(sections: Sequence[RunSection]) -> int:
    """Return the number of trials of one model."""
    return sum(section.trials for section in sections)


def skip_warnings(spec: RunSpec, tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return a warning for each attack that does not apply to all of the tasks."""
    skipped = {
        attack: [task.name for task in tasks if not is_applicable(attack, task.category)] for attack in spec.attacks
    }
    return tuple(
        f"{attack} is not applied to {', '.join(names)}: a harmless request has nothing to hide"
        for attack, names in skipped.items()
        if names
    )
