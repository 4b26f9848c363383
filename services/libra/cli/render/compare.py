"""A comparison as text: a table for a terminal of 80 columns, and what it comes to in sentences."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from rich.table import Table

from libra.cli.render.format import chance, signed, signed_span
from libra.cli.render.output import add, columns
from libra.cli.render.sanitize import plain
from libra.v1.ranking_pb2 import CompareModelsRequest, CompareModelsResponse, Comparison

LINE = 79
LEGEND = (
    "Percent and points of percent, on the n samples that both have a score of; finds: the least true difference that would be "
    "found four times in five."
)
SURE = 0.05
NAMED = 10
"""Tasks that a sentence names; it counts the rest."""


def table_of(answer: CompareModelsResponse) -> Table:
    """Return the means, then the tasks."""
    heads = ("this", "other", "differ.", "95 %", "p", "Holm", "finds", "n")
    table = columns("score", *heads, right=heads)
    table.padding = (0, 0, 0, 0)  # what stands between two columns is the space of the box
    for comparison in answer.summary:
        add(table, comparison.what, *_cells(comparison))
    if answer.summary and answer.tasks:
        table.add_section()
    for comparison in answer.tasks:
        add(table, comparison.what, *_cells(comparison))
    return table


def answers(answer: CompareModelsResponse, request: CompareModelsRequest) -> list[str]:
    """Return what the comparison comes to: whether the one is better, how surely, and on which tasks."""
    if not answer.summary:
        return []
    this, other = _names(request)
    lines = ["", _verdict(answer.summary[0], this, other), *_on_tasks(answer.tasks, this)]
    return [textwrap.fill(plain(line), LINE) for line in lines]


def remarks(answer: CompareModelsResponse, request: CompareModelsRequest) -> list[str]:
    """Return what must be known to read the table."""
    this, other = _names(request)
    legend = f"this: {this}; other: {other}. {LEGEND}"
    lines = [*([legend] if answer.tasks else []), *(f"note: {note}" for note in answer.notes)]
    return [textwrap.fill(plain(line), LINE) for line in lines]


def _verdict(comparison: Comparison, this: str, other: str) -> str:
    """Return whether a mean differs, and how surely."""
    what = {"overall": "Overall", "safety": "Safety", "capability": "Capability"}.get(comparison.what, comparison.what)
    gap = comparison.difference
    if not comparison.HasField("p"):
        return f"{what} differs by {signed(gap.value)} points; how sure that is cannot be told."
    sure = f"95 % interval {signed_span(gap)}, p {_p(comparison.p)}"
    if comparison.p >= SURE:
        found = f"a true difference of {comparison.detectable * 100:.1f} points would be found four times in five"
        return f"No difference in {what} is shown: {signed(gap.value)} points ({sure}); {found}."
    word = "better" if gap.value > 0 else "worse"
    return f"{this} is {word} than {other} in {what}, by {abs(gap.value) * 100:.1f} points ({sure})."


def _on_tasks(tasks: Sequence[Comparison], this: str) -> list[str]:
    """Return on which tasks `this` surely differs."""
    sure = [task for task in tasks if task.HasField("p_holm") and task.p_holm < SURE]
    if not tasks:
        return []
    if not sure:
        return [f"On no task is a difference shown, after Holm's correction over {len(tasks)}."]
    parts = [
        f"{word} on {_listed(found)}"
        for word, found in (
            ("worse", [task.what for task in sure if task.difference.value < 0]),
            ("better", [task.what for task in sure if task.difference.value > 0]),
        )
        if found
    ]
    return [f"{this} is {' and '.join(parts)}, after Holm's correction over {len(tasks)} tasks."]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _names(request: CompareModelsRequest) -> tuple[str, str]:
    """Return what to call the two: by their runs as well, where these differ."""
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
        signed(comparison.difference.value),
        signed_span(comparison.difference),
        chance(comparison.p if comparison.HasField("p") else None),
        chance(comparison.p_holm if comparison.HasField("p_holm") else None),
        f"{comparison.detectable * 100:.1f}" if comparison.HasField("detectable") else "-",
        str(comparison.samples or "-"),
    ]


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"  # noqa: PLR2004 - as many digits as are shown
