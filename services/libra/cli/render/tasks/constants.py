"""Formats the scores of constant answers, one row for each task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from libra.cli.render.format import ABSENT, percent
from libra.cli.render.output import add_row, new_table
from libra.core.category_names import category_name
from libra.v1.judge_pb2 import ConstantScore, TaskConstants

NAMES = ("yes", "no", "A", "refusal", "empty talk")
MARK = "!"
BY_DESIGN = "="


def constants_table(tasks: Iterable[TaskConstants]) -> Table:
    """Return one row for each task: the scores of the constant answers in percent."""
    table = new_table("task", *NAMES, right=NAMES, no_wrap=("task",))
    for task in tasks:
        cells = {score.name: _cell(score) for score in task.scores}
        add_row(table, task.task.partition("@")[0], *(cells.get(name, ABSENT) for name in NAMES))
    return table


def _cell(score: ConstantScore) -> str:
    if not score.HasField("score"):
        return ABSENT
    mark = MARK if score.exceeds_bound else BY_DESIGN if score.by_design else ""
    return percent(score.score) + mark


def footnotes(tasks: Sequence[TaskConstants], bound: float, missing: int) -> list[str]:
    """Return what the marks mean, which tasks were not tried, and the caveats of marked tasks.

    `missing` is the number of tasks of the catalogue that have no samples here.
    """
    notes = []
    marked = [task for task in tasks if any(score.exceeds_bound for score in task.scores)]
    if any(task.scores for task in tasks):
        notes += [
            "",
            (
                f"{MARK} above {percent(bound)}. {BY_DESIGN} the same by design: a refusal of harmful requests, or any "
                f"other answer to harmless ones; tasks of the other kind make up for it. {ABSENT} not decided."
            ),
        ]
    notes += [f"{MARK} {_describe(task)}" for task in marked]
    for reason in dict.fromkeys(task.not_tried for task in tasks if task.not_tried):
        names = ", ".join(task.task.partition("@")[0] for task in tasks if task.not_tried == reason)
        notes.append(f"not tried, since {reason}: {names}")
    if missing:
        notes.append(f"not tried, since they have no samples here: tasks of the catalogue ({missing})")
    return notes


def _describe(task: TaskConstants) -> str:
    """Return which constant answers win on a task, and its caveat."""
    winners = ", ".join(f"{score.name} {percent(score.score)}" for score in task.scores if score.exceeds_bound)
    caveat = f". {task.caveat}" if task.caveat else ""
    return f"{task.task.partition('@')[0]} ({category_name(task.category)}, judge {task.judge}): {winners}{caveat}"
