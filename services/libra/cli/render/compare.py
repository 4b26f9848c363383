"""Formats a comparison of two models: a table for a terminal of 80 columns, conclusions, and footnotes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from libra.cli.render.format import ABSENT, SMALLEST_P, p_value, signed_interval, signed_points
from libra.cli.render.output import add_row, new_table
from libra.v1.ranking_pb2 import CompareModelsRequest, CompareModelsResponse, Comparison

LEGEND = (
    "Scores are percentages and differences are percentage points, on the n samples that both models have a score "
    "for. finds: the smallest true difference that such a comparison detects with a probability of 80 %."
)
SIGNIFICANCE = 0.05
MAX_TASKS_NAMED = 10
TITLES = {"overall": "Overall", "safety": "Safety", "capability": "Capability"}


def comparison_table(reply: CompareModelsResponse) -> Table:
    """Return the means, then the tasks."""
    heads = ("this", "other", "differ.", "95 %", "p", "Holm", "finds", "n")
    table = new_table("score", *heads, right=heads, compact=True)
    for comparison in reply.summary:
        add_row(table, comparison.what, *_cells(comparison))
    if reply.summary and reply.tasks:
        table.add_section()
    for comparison in reply.tasks:
        add_row(table, comparison.what, *_cells(comparison))
    return table


def conclusions(reply: CompareModelsResponse, request: CompareModelsRequest) -> list[str]:
    """Return in sentences whether the first model is better, with what confidence, and on which tasks."""
    if not reply.summary:
        return []
    this, other = _names(request)
    return ["", _conclusion(reply.summary[0], this, other), *_task_conclusions(reply.tasks, this)]


def footnotes(reply: CompareModelsResponse, request: CompareModelsRequest) -> list[str]:
    """Return the legend of the table and the notes."""
    this, other = _names(request)
    where = f", in the round {request.round}" if request.round else ""
    legend = f"this: {this}; other: {other}{where}. {LEGEND}"
    return [*([legend] if reply.tasks else []), *(f"note: {note}" for note in reply.notes)]


def _conclusion(comparison: Comparison, this: str, other: str) -> str:
    """Return whether a mean differs, and with what confidence."""
    what = TITLES.get(comparison.what, comparison.what)
    difference = comparison.difference
    if not comparison.HasField("p"):
        return f"{what} differs by {signed_points(difference.value)} points; the confidence cannot be computed."
    confidence = f"95 % interval {signed_interval(difference)}, p {_p(comparison.p)}"
    if comparison.p >= SIGNIFICANCE:
        return (
            f"No difference in {what} is shown: {signed_points(difference.value)} points ({confidence}). A true "
            f"difference of {comparison.detectable * 100:.1f} points is detected with a probability of 80 %."
        )
    direction = "better" if difference.value > 0 else "worse"
    return f"{this} is {direction} than {other} in {what}, by {abs(difference.value) * 100:.1f} points ({confidence})."


def _task_conclusions(tasks: Sequence[Comparison], this: str) -> list[str]:
    """Return on which tasks `this` is significantly worse or better."""
    if not tasks:
        return []
    significant = [task for task in tasks if task.HasField("p_holm") and task.p_holm < SIGNIFICANCE]
    if not significant:
        return [f"On no task is a difference shown, after Holm's correction over {_tasks(len(tasks))}."]
    parts = [
        f"{direction} on {_first_names(names)}"
        for direction, names in (
            ("worse", [task.what for task in significant if task.difference.value < 0]),
            ("better", [task.what for task in significant if task.difference.value > 0]),
        )
        if names
    ]
    return [f"{this} is {' and '.join(parts)}, after Holm's correction over {_tasks(len(tasks))}."]


def _tasks(count: int) -> str:
    return f"{count} task{'' if count == 1 else 's'}"


def _first_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_TASKS_NAMED} more" if len(names) > MAX_TASKS_NAMED else ""
    return ", ".join(names[:MAX_TASKS_NAMED]) + more


def _names(request: CompareModelsRequest) -> tuple[str, str]:
    """Return the names of the two models; with their runs if these differ."""
    runs, other_runs = list(request.runs), list(request.other_runs or request.runs)
    if sorted(set(runs)) == sorted(set(other_runs)):
        return request.model, request.other
    return f"{request.model} in {_runs(runs)}", f"{request.other} in {_runs(other_runs)}"


def _runs(runs: Iterable[str]) -> str:
    return ", ".join(runs) or "its newest runs"


def _cells(comparison: Comparison) -> list[str]:
    return [
        f"{comparison.score * 100:.1f}",
        f"{comparison.other_score * 100:.1f}",
        signed_points(comparison.difference.value),
        signed_interval(comparison.difference),
        p_value(comparison.p if comparison.HasField("p") else None),
        p_value(comparison.p_holm if comparison.HasField("p_holm") else None),
        f"{comparison.detectable * 100:.1f}" if comparison.HasField("detectable") else ABSENT,
        str(comparison.samples or ABSENT),
    ]


def _p(p: float) -> str:
    return f"< {SMALLEST_P}" if p < SMALLEST_P else f"= {p:.3f}"
