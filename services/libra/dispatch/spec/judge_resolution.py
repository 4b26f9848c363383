"""Which judge a task gets in a run, and whether it has all it needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from libra.dispatch.spec.registry import Registry
from libra.errors import Invalid, unknown
from libra.v1.judge_pb2 import Judge, JudgeCheck
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import JudgeSpec, Task

MODEL_OPTION = "model"
"""The option by which a judge that asks a model learns which one."""


EVERY = "*"
"""In the place of a task's name: every selected task that is not named itself."""


def spell_out(spec: RunSpec, tasks: Sequence[Task]) -> None:
    """Put the judge that is named for "*" in the place of every selected task that has none named."""
    if EVERY in spec.judges:
        judge = spec.judges.pop(EVERY)
        for task in tasks:
            spec.judges[task.name] = spec.judges.get(task.name, judge)


def check_names(spec: RunSpec, tasks: Sequence[Task], registry: Registry) -> None:
    """Refuse judges for tasks that are not selected, options for no judge, and a judge model that is not registered."""
    names = [task.name for task in tasks]
    if spec.judge_options and not spec.judges:
        raise Invalid("they are for judges that the run names, and it names none", field="spec.judge_options")
    for task_name in spec.judges:
        if task_name not in names:
            raise Invalid(unknown("selected task", task_name, names), field=f"spec.judges[{task_name}]")
    if spec.judge_model and spec.judge_model not in registry.models:
        raise Invalid(unknown("model", spec.judge_model, sorted(registry.models)), field="spec.judge_model")


def judge_of(task: Task, spec: RunSpec, registry: Registry) -> JudgeSpec:
    """Return the judge of a task in a run, with all it needs to know; raise Invalid if it is unknown or lacks something.

    It is the one the spec names for the task, told what the spec says over what the card says; else the one on the card. A
    judge that asks a model is told the run's, unless its card names one.
    """
    field = f"spec.judges[{task.name}]"
    asked = JudgeSpec(name=spec.judges.get(task.name, task.judge.name), options=dict(task.judge.options))
    judge = registry.judges.get(asked.name)
    if judge is None:
        raise Invalid(unknown("judge", asked.name, sorted(registry.judges)), field=field)
    if asked.name != task.judge.name:
        # The card speaks to its own judge; the other is told what it understands of that.
        for name in asked.options.keys() - {option.name for option in judge.options}:
            del asked.options[name]
    if task.name in spec.judges:
        asked.options.update(spec.judge_options)
    if judge.asks_model and spec.judge_model and MODEL_OPTION not in asked.options:
        asked.options[MODEL_OPTION] = spec.judge_model
    check_options(asked, judge, field=field)
    return asked


def refuse_faulty(tasks: Sequence[str], checks: Sequence[JudgeCheck], models: Collection[str]) -> None:
    """Refuse what the judge service finds wrong with the judge of one of the `tasks`, and a judge that asks an unknown model."""
    for task, check in zip(tasks, checks, strict=True):
        field = f"spec.judges[{task.partition('@')[0]}]"
        if check.fault:
            raise Invalid(check.fault, field=field)
        for model in check.models:
            if model not in models:
                raise Invalid(f"the judge would ask a model: {unknown('model', model, sorted(models))}", field=field)


def check_options(asked: JudgeSpec, judge: Judge, *, field: str) -> None:
    """Refuse a judge that lacks a required option, or is given one that it does not have or a value it does not take."""
    names = [option.name for option in judge.options]
    for name in sorted(asked.options):
        if name not in names:
            raise Invalid(unknown(f"option of the judge {judge.name}", name, names), field=field)
    for option in judge.options:
        given = asked.options.get(option.name)
        if given is None and option.required:
            hint = "name a judge_model in the run" if option.name == MODEL_OPTION else option.description
            raise Invalid(f"the judge {judge.name} needs the option {option.name!r}: {hint}", field=field)
        if given is not None and option.values and given not in option.values:
            raise Invalid(unknown(f"{option.name} of the judge {judge.name}", given, list(option.values)), field=field)
