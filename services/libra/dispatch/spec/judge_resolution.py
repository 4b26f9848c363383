"""Determine the judge of each task in a run, and check its options."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from libra.core.errors import Invalid, unknown
from libra.dispatch.spec.registry import EVERY_TASK, Registry
from libra.v1.judge_pb2 import Judge, JudgeCheck
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import JudgeSpec, Task

MODEL_OPTION = "model"
"""The option that names the model of a judge that queries one."""


def expand_judge_wildcard(spec: RunSpec, tasks: Sequence[Task]) -> None:
    """Replace the judge of "*" by one entry for every selected task that has none."""
    if EVERY_TASK in spec.judges:
        judge = spec.judges.pop(EVERY_TASK)
        for task in tasks:
            spec.judges[task.name] = spec.judges.get(task.name, judge)


def check_judge_names(spec: RunSpec, tasks: Sequence[Task], registry: Registry) -> None:
    """Raise Invalid for a judge of an unselected task, options without a judge, or an unregistered judge model."""
    names = [task.name for task in tasks]
    if spec.judge_options and not spec.judges:
        raise Invalid(
            "they apply to the judges that the run names, but it names no judge; name one in spec.judges",
            field="spec.judge_options",
        )
    for task_name in spec.judges:
        if task_name not in names:
            raise Invalid(unknown("selected task", task_name, names), field=f"spec.judges[{task_name}]")
    if spec.judge_model and spec.judge_model not in registry.models:
        raise Invalid(unknown("model", spec.judge_model, sorted(registry.models)), field="spec.judge_model")


def resolve_judge(task: Task, spec: RunSpec, registry: Registry) -> JudgeSpec:
    """Return the judge of a task in a run with its options; raise Invalid if it is unknown or lacks an option.

    The judge is the one that the spec names for the task, or the one on the card. If the spec names it, the spec's
    options override the card's. A judge that queries a model gets the run's judge model, unless its card names another.
    """
    field = f"spec.judges[{task.name}]"
    resolved = JudgeSpec(name=spec.judges.get(task.name, task.judge.name), options=dict(task.judge.options))
    judge = registry.judges.get(resolved.name)
    if judge is None:
        raise Invalid(unknown("judge", resolved.name, sorted(registry.judges)), field=field)
    if resolved.name != task.judge.name:
        # The card's options are meant for its own judge: another judge gets only those that it has too.
        for name in resolved.options.keys() - {option.name for option in judge.options}:
            del resolved.options[name]
    if task.name in spec.judges:
        resolved.options.update(spec.judge_options)
    if judge.asks_model and spec.judge_model and MODEL_OPTION not in resolved.options:
        resolved.options[MODEL_OPTION] = spec.judge_model
    check_options(resolved, judge, field=field)
    return resolved


def check_options(resolved: JudgeSpec, judge: Judge, *, field: str) -> None:
    """Raise Invalid for a missing required option, an unknown option, or a value that the option does not accept."""
    names = [option.name for option in judge.options]
    for name in sorted(resolved.options):
        if name not in names:
            raise Invalid(unknown(f"option of the judge {judge.name}", name, names), field=field)
    for option in judge.options:
        value = resolved.options.get(option.name)
        if value is None and option.required:
            hint = "name a judge_model in the run" if option.name == MODEL_OPTION else option.description
            raise Invalid(f"the judge {judge.name} needs the option {option.name!r}: {hint}", field=field)
        if value is not None and option.values and value not in option.values:
            raise Invalid(unknown(f"{option.name} of the judge {judge.name}", value, list(option.values)), field=field)


def check_judge_results(tasks: Sequence[str], checks: Sequence[JudgeCheck], models: Collection[str]) -> None:
    """Raise Invalid for a fault that the judge service found in a task's judge, or a model that is not registered.

    The check at an index belongs to the judge of the task at the same index.
    """
    for task, check in zip(tasks, checks, strict=True):
        field = f"spec.judges[{task.partition('@')[0]}]"
        if check.fault:
            raise Invalid(check.fault, field=field)
        for model in check.models:
            if model not in models:
                raise Invalid(f"the judge queries a model: {unknown('model', model, sorted(models))}", field=field)
