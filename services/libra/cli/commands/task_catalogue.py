"""Print the catalogue: the tasks that are known by name, and what of each can be had."""

from __future__ import annotations

from collections import Counter

import click

from libra.cli.client import Client
from libra.cli.render import output
from libra.cli.render.sanitize import word
from libra.contracts.categories import category_name
from libra.v1.task_pb2 import CatalogueEntry, CatalogueState, ListCatalogueRequest
from libra.v1.task_pb2_grpc import TaskServiceStub

IMPORTED = "imported"
BUILT_IN = CatalogueState.CATALOGUE_STATE_BUILT_IN


async def list_catalogue(client: Client, category: int, *, as_json: bool) -> None:
    """List the catalogue in order of name, or one category of it."""
    answer = await client.call(TaskServiceStub, "ListCatalogue", ListCatalogueRequest())
    others = [entry for entry in answer.entries if category and entry.task.category != category]
    for entry in others:
        answer.entries.remove(entry)
    if as_json:
        return output.emit_json(answer)
    table = output.columns(
        "task", "category", "state", "samples", right=("samples",), whole=("task", "category", "state")
    )
    for entry in answer.entries:
        kind = category_name(entry.task.category)
        output.add(table, entry.task.name, kind, state(entry), f"{entry.published_samples:,}")
    output.show(table, empty="no task is like that")
    return click.echo(f"\n{summary(answer.entries)}")


def state(entry: CatalogueEntry) -> str:
    """Return what of a task can be had: "imported", "built in", "importable" or "not public"."""
    if entry.imported and entry.state != BUILT_IN:
        return IMPORTED
    return word(CatalogueState, entry.state, "CATALOGUE_STATE_").replace("_", " ")


def summary(entries: list[CatalogueEntry]) -> str:
    """Return how many tasks there are of each state, and how one is had."""
    counts = Counter(state(entry) for entry in entries)
    counted = ", ".join(f"{counts[name]} {name}" for name in ("built in", IMPORTED, "importable", "not public"))
    return f"{counted}\n`libra tasks show TASK` says where one is had, and how it is imported."


def print_entry(entry: CatalogueEntry) -> None:
    """Print what the catalogue says of a task beside its card."""
    hub = f"{entry.dataset}, {entry.split}" if entry.dataset else ""
    name = entry.task.name
    output.pairs(
        [
            ("turns", "several" if entry.multi_turn else "one"),
            ("published samples", f"{entry.published_samples:,}"),
            ("state", state(entry)),
            ("hub", hub),
            ("conversion", entry.conversion),
            ("import it", f"libra tasks import FILE --as {name}"),
            ("or", f"libra tasks import --as {name} --huggingface" if hub else ""),
        ]
    )
