"""Check the spec of a run that judges another one's answers again, and spell it out from that run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from libra.contracts.categories import CATEGORIES
from libra.dispatch.spec.judge_resolution import check_names, judge_of, spell_out
from libra.dispatch.spec.registry import Registry, reference
from libra.dispatch.spec.run_spec import Resolved, check_numbers
from libra.errors import Invalid, unknown
from libra.store.runs import RunRecord
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import Task

OF_THE_SOURCE = ("models", "attacks", "samples_per_task", "epochs", "seed", "parameters", "fresh", "attack_model")
"""What a rejudging takes from its source and cannot ask for otherwise."""


def resolve_again(asked: RunSpec, source: RunRecord, registry: Registry) -> Resolved:
    """Return the spec of a rejudging spelled out, with its sections; raise Invalid naming the first field at fault.

    The answers are those of the run that asked for them: a rejudging of a rejudging names its source's source. `registry`
    holds every "name@version" of the source. No model under test has to be registered any more.
    """
    check_numbers(asked)
    check_same(asked, source.run.spec)
    tasks = selected(asked.tasks, source, registry)
    spec = RunSpec()
    spec.CopyFrom(source.run.spec)
    spec.name, spec.rejudges = asked.name, source.run.spec.rejudges or source.run.id
    spec.judge_model = asked.judge_model or (spec.judge_model if spec.judge_model in registry.models else "")
    spec.tasks[:] = [reference(task) for task in tasks]
    for mine, theirs in ((spec.judges, asked.judges), (spec.judge_options, asked.judge_options)):
        mine.clear()
        mine.update(theirs)
    spell_out(spec, tasks)
    check_names(spec, tasks, registry)
    judges = {reference(task): judge_of(task, spec, registry) for task in tasks}
    sections = [replace(each, judge=judges[each.task]) for each in source.sections if each.task in judges]
    spec.attacks[:] = dict.fromkeys(section.attack for section in sections)
    return Resolved(spec, tuple(sections), warnings=())


def check_same(asked: RunSpec, source: RunSpec) -> None:
    """Refuse whatever would need other answers than there are."""
    for field, wanted in asked.ListFields():
        if field.name in OF_THE_SOURCE and wanted != getattr(source, field.name):
            raise Invalid(
                "a rejudging has it from the run that it judges again; leave it out", field=f"spec.{field.name}"
            )


def selected(words: Sequence[str], source: RunRecord, registry: Registry) -> list[Task]:
    """Return the tasks of the source that the words select, in its order; all of them for none. See `select_tasks`."""
    tasks = [registry.tasks[name] for name in dict.fromkeys(section.task for section in source.sections)]
    found = {
        reference(task)
        for place, word in enumerate(words or ["*"])
        for task in meant(word, tasks, field=f"spec.tasks[{place}]")
    }
    if not found:
        raise Invalid(f"{', '.join(words)} selects none of the tasks that were judged", field="spec.tasks")
    return [task for task in tasks if reference(task) in found]


def meant(word: str, tasks: Sequence[Task], *, field: str) -> Iterable[Task]:
    """Return what one word selects, which may be nothing for a category."""
    if word == "*":
        return tasks
    if word in CATEGORIES:
        return [task for task in tasks if task.category == CATEGORIES[word]]
    found = [task for task in tasks if word in {task.name, reference(task)}]
    if not found:
        raise Invalid(unknown("judged task", word, sorted({task.name for task in tasks})), field=field)
    return found
