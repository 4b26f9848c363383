"""Check a run's spec against the registries and spell out everything it leaves open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from libra.contracts.attacks import JOIN, MAX_STEPS, PLAIN
from libra.contracts.categories import CATEGORIES
from libra.contracts.parameters import check_parameters
from libra.dispatch.scheduling.expansion import total
from libra.dispatch.spec.attack_checks import check_models
from libra.dispatch.spec.judge_resolution import check_names, judge_of, spell_out
from libra.dispatch.spec.registry import Registry, reference
from libra.dispatch.spec.sample_selection import applies, choose, counts_in
from libra.errors import Invalid, unknown
from libra.store.runs import RunSection
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import Task

MAX_NAME_CHARACTERS = 200
MAX_EPOCHS = 1_000

MAX_TRIALS = 1_000_000_000
"""Per model: a billion trials are half a year at two thousand a second; more is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A spec that can be run."""

    spec: RunSpec
    """With every wildcard and default spelled out."""

    sections: tuple[RunSection, ...]
    """What one model is put through, in order."""

    warnings: tuple[str, ...]
    """What is selected but not evaluated, and why."""


def resolve(asked: RunSpec, registry: Registry) -> Resolved:
    """Return the spec spelled out, with its sections; raise Invalid naming the first field at fault."""
    spec = RunSpec()
    spec.CopyFrom(asked)
    check_numbers(spec)
    check_parameters(spec.parameters, field="spec.parameters")
    check_schema(spec.parameters.json_schema)
    spec.epochs = spec.epochs or 1
    spec.models[:] = known("model", spec.models, sorted(registry.models), field="spec.models")
    attacks = spec.attacks or [PLAIN]
    spec.attacks[:] = known_attacks(attacks, sorted(registry.attacks))
    tasks = select_tasks(spec.tasks, registry)
    spec.tasks[:] = [reference(task) for task in tasks]
    spell_out(spec, tasks)
    check_names(spec, tasks, registry)
    sections = lay_out(spec, tasks, registry)
    return Resolved(spec, sections, (*passed_by(spec, tasks), *check_models(spec, registry)))


def check_numbers(spec: RunSpec) -> None:
    """Refuse counts that are negative or beyond their limit."""
    if len(spec.name) > MAX_NAME_CHARACTERS:
        raise Invalid(
            f"the name has {len(spec.name)} characters; the limit is {MAX_NAME_CHARACTERS}", field="spec.name"
        )
    if spec.samples_per_task < 0:
        raise Invalid(f"{spec.samples_per_task} samples cannot be taken; 0 takes all", field="spec.samples_per_task")
    if not 0 <= spec.epochs <= MAX_EPOCHS:
        raise Invalid(f"epochs must be from 0 (once) to {MAX_EPOCHS}, not {spec.epochs}", field="spec.epochs")


def check_schema(schema: str) -> None:
    """Refuse a schema that is no JSON object; what it means is for the provider to say."""
    try:
        sound = not schema or isinstance(json.loads(schema), dict)
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        raise Invalid("json_schema must be a JSON object, as text", field="spec.parameters.json_schema")


def known(kind: str, names: Sequence[str], valid: Sequence[str], *, field: str) -> list[str]:
    """Return the names, each once, in their order; raise Invalid at the first that is not valid, or if there is none."""
    if not names:
        raise Invalid(
            f"at least one {kind} must be named; there are: {', '.join(valid[:20]) or 'none yet'}", field=field
        )
    for place, name in enumerate(names):
        if name not in valid:
            raise Invalid(unknown(kind, name, valid), field=f"{field}[{place}]")
    return list(dict.fromkeys(names))


def known_attacks(names: Sequence[str], valid: Sequence[str]) -> list[str]:
    """Return the names, each once, in their order; each is an attack or a composition, `a+b`, of several.

    Raises:
        Invalid: at the first that is neither.
    """
    for place, name in enumerate(names):
        steps, field = name.split(JOIN), f"spec.attacks[{place}]"
        if len(steps) > MAX_STEPS:
            raise Invalid(f"{name!r:.80} joins {len(steps)} attacks; the limit is {MAX_STEPS}", field=field)
        for step in steps:
            if step not in valid:
                raise Invalid(unknown("attack", step, valid), field=field)
            if step == PLAIN != name:
                raise Invalid(f"{PLAIN} is no attack; it cannot be joined with others, as in {name!r:.80}", field=field)
    return list(dict.fromkeys(names))


def select_tasks(words: Sequence[str], registry: Registry) -> list[Task]:
    """Return the tasks that the words select, each once, in order of name; a word is a name, a reference, a category or "*"."""
    if not words:
        raise Invalid('at least one task must be named; "*" is every task', field="spec.tasks")
    chosen: dict[str, Task] = {}
    for place, word in enumerate(words):
        for task in selected_by(word, registry, field=f"spec.tasks[{place}]"):
            chosen[reference(task)] = task
    if not chosen:
        raise Invalid(f"{', '.join(words)} selects no task; `libra tasks list` shows what there is", field="spec.tasks")
    return [chosen[name] for name in sorted(chosen)]


def selected_by(word: str, registry: Registry, *, field: str) -> Iterable[Task]:
    """Return what one word selects, which may be nothing for "*" and for a category."""
    newest = [registry.tasks[name] for name in registry.task_names()]
    if word == "*":
        return newest
    if word in CATEGORIES:
        return [task for task in newest if task.category == CATEGORIES[word]]
    if word in registry.tasks:
        return [registry.tasks[word]]
    raise Invalid(unknown("task", word, [*registry.tasks, *CATEGORIES]), field=field)


def lay_out(spec: RunSpec, tasks: Sequence[Task], registry: Registry) -> tuple[RunSection, ...]:
    """Return what one model is put through: each task under each attack that is for it, in the spec's order."""
    sections = []
    for task in tasks:
        judge = judge_of(task, spec, registry)
        size = len(choose(reference(task), task.sample_count, spec.samples_per_task, spec.seed)) * spec.epochs
        sections += [
            RunSection(reference(task), attack, counts_in(attack, task.category), size, judge)
            for attack in spec.attacks
            if applies(attack, task.category)
        ]
    if not sections:
        raise Invalid(
            f"no task is left: {', '.join(spec.attacks)} is for direct_risky, adversarial and instruction_hierarchy; "
            f'add the attack "{PLAIN}" for the plain prompts',
            field="spec.attacks",
        )
    if (trials := total(sections)) > MAX_TRIALS:
        raise Invalid(f"{trials:,} trials per model; the limit is {MAX_TRIALS:,}", field="spec.tasks")
    return tuple(sections)


def passed_by(spec: RunSpec, tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return a sentence for each attack that is not put to some of the tasks."""
    skipped = {attack: [task.name for task in tasks if not applies(attack, task.category)] for attack in spec.attacks}
    return tuple(
        f"{attack} is not put to {', '.join(names)}: a harmless request has nothing to hide"
        for attack, names in skipped.items()
        if names
    )
