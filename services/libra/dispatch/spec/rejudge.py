"""Resolve the spec of a rejudging: a run that judges the answers of another run again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from libra.core.category_names import CATEGORIES
from libra.core.errors import Invalid, unknown
from libra.dispatch.spec.judge_resolution import check_judge_names, expand_judge_wildcard, resolve_judge
from libra.dispatch.spec.registry import EVERY_TASK, Registry, task_reference
from libra.dispatch.spec.run_spec import ResolvedSpec, check_numbers
from libra.store.runs import RunRecord
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import Task

INHERITED_FIELDS = ("models", "attacks", "samples_per_task", "epochs", "seed", "parameters", "fresh", "attack_model")
"""Fields that a rejudging inherits from its source and cannot change."""


def resolve_rejudge(requested: RunSpec, source: RunRecord, registry: Registry) -> ResolvedSpec:
    """Return the complete spec of a rejudging, with its sections; raise Invalid naming the first field at fault.

    The answers are always those of the original run: the rejudging of a rejudging names its source's source. `registry`
    holds every "name@version" of the source. The models under test need not be registered any more.
    """
    check_numbers(requested)
    check_inherited(requested, source.run.spec)
    tasks = select_judged_tasks(requested.tasks, source, registry)
    spec = RunSpec()
    spec.CopyFrom(source.run.spec)
    spec.name, spec.rejudges = requested.name, source.run.spec.rejudges or source.run.id
    spec.judge_model = requested.judge_model or (spec.judge_model if spec.judge_model in registry.models else "")
    spec.ClearField("budget")
    if requested.HasField("budget"):
        spec.budget.CopyFrom(requested.budget)
    spec.tasks[:] = [task_reference(task) for task in tasks]
    for inherited, new in ((spec.judges, requested.judges), (spec.judge_options, requested.judge_options)):
        inherited.clear()
        inherited.update(new)
    expand_judge_wildcard(spec, tasks)
    check_judge_names(spec, tasks, registry)
    judges = {task_reference(task): resolve_judge(task, spec, registry) for task in tasks}
    balanced_by = {task_reference(task): task.balanced_by for task in tasks}
    sections = [
        replace(section, judge=judges[section.task], balanced_by=balanced_by[section.task])
        for section in source.sections
        if section.task in judges
    ]
    spec.attacks[:] = dict.fromkeys(section.attack for section in sections)
    return ResolvedSpec(spec, tuple(sections), warnings=())


def check_inherited(requested: RunSpec, source: RunSpec) -> None:
    """Raise Invalid for a field that differs from the source and would need other answers than the stored ones."""
    for field, value in requested.ListFields():
        if field.name in INHERITED_FIELDS and value != getattr(source, field.name):
            raise Invalid(
                "a rejudging inherits this from the run that it judges again; leave it out", field=f"spec.{field.name}"
            )


def select_judged_tasks(selectors: Sequence[str], source: RunRecord, registry: Registry) -> list[Task]:
    """Return the source's tasks that the selectors match, in its order; all of them without a selector.

    See `libra.dispatch.spec.run_spec.select_tasks` for the selectors.
    """
    tasks = [registry.tasks[name] for name in dict.fromkeys(section.task for section in source.sections)]
    selected = {
        task_reference(task)
        for index, selector in enumerate(selectors or [EVERY_TASK])
        for task in matching_tasks(selector, tasks, field=f"spec.tasks[{index}]")
    }
    if not selected:
        raise Invalid(f"{', '.join(selectors)} selects none of the tasks that were judged", field="spec.tasks")
    return [task for task in tasks if task_reference(task) in selected]


def matching_tasks(selector: str, tasks: Sequence[Task], *, field: str) -> Iterable[Task]:
    """Return the tasks that one selector matches; a category may match none."""
    if selector == EVERY_TASK:
        return tasks
    if selector in CATEGORIES:
        return [task for task in tasks if task.category == CATEGORIES[selector]]
    found = [task for task in tasks if selector in {task.name, task_reference(task)}]
    if not found:
        raise Invalid(unknown("judged task", selector, sorted({task.name for task in tasks})), field=field)
    return found
