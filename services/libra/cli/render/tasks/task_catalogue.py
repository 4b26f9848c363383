"""Formats the catalogue of published tasks: the state of each, and how it is imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.table import Table

from libra.cli.render.format import enum_name
from libra.cli.render.output import add_row, new_table, print_pairs
from libra.core.category_names import category_name
from libra.v1.task_pb2 import CatalogueEntry, CatalogueState, Task

IMPORTED = "imported"
STATES = ("built in", IMPORTED, "importable", "not public")
CAVEAT = "!"
"""Marks a task whose card has a caveat."""

BUILT_IN = CatalogueState.CATALOGUE_STATE_BUILT_IN


def catalogue_table(entries: Iterable[CatalogueEntry]) -> Table:
    """Return one row for each task of the catalogue."""
    heads = ("task", "category", "state", "samples")
    table = new_table(*heads, right=("samples",), no_wrap=heads)
    for entry in entries:
        category = category_name(entry.task.category)
        add_row(
            table, marked_name(entry.task, entry.task.name), category, state_of(entry), f"{entry.published_samples:,}"
        )
    return table


def marked_name(task: Task, name: str) -> str:
    """Return the name of a task, with a mark if its card has a caveat."""
    return f"{name} {CAVEAT}" if task.caveat else name


def caveat_notes(tasks: Iterable[Task]) -> list[str]:
    """Return the caveats of the tasks, after an empty line; nothing if there are none."""
    caveats = dict.fromkeys(f"{CAVEAT} {task.name}: {task.caveat}" for task in tasks if task.caveat)
    return ["", *caveats] if caveats else []


def state_of(entry: CatalogueEntry) -> str:
    """Return "imported", "built in", "importable" or "not public"."""
    if entry.imported and entry.state != BUILT_IN:
        return IMPORTED
    return enum_name(CatalogueState, entry.state, "CATALOGUE_STATE_").replace("_", " ")


def catalogue_summary(entries: Iterable[CatalogueEntry]) -> str:
    """Return the number of tasks in each state, and the command that shows how a task is imported."""
    counts = Counter(state_of(entry) for entry in entries)
    states = ", ".join(f"{counts[state]} {state}" for state in STATES)
    return f"{states}\n`libra tasks show TASK` shows the source of a task and how to import it."


def print_entry(entry: CatalogueEntry) -> None:
    """Print what the catalogue adds to a task's card: size, source, and the commands that import it."""
    hub = f"{entry.dataset}, {entry.split}" if entry.dataset else ""
    name = entry.task.name
    print_pairs(
        [
            ("turns", "several" if entry.multi_turn else "one"),
            ("published samples", f"{entry.published_samples:,}"),
            ("state", state_of(entry)),
            ("Hugging Face", hub),
            ("conversion", entry.conversion),
            ("to import", f"libra tasks import FILE --as {name}"),
            ("or", f"libra tasks import --as {name} --huggingface" if hub else ""),
        ]
    )
