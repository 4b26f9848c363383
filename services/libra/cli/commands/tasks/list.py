"""`libra tasks list`: the stored tasks, or the catalogue of published tasks."""

from __future__ import annotations

from collections.abc import Sequence

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.render import output
from libra.cli.render.tasks.task_catalogue import catalogue_summary, catalogue_table, caveat_notes, marked_name
from libra.core.category_names import CATEGORIES, category_name
from libra.core.errors import NotFound
from libra.v1.task_pb2 import (
    CatalogueEntry,
    Category,
    ListCatalogueRequest,
    ListCatalogueResponse,
    ListTasksRequest,
    Task,
)
from libra.v1.task_pb2_grpc import TaskServiceStub

HEADS = ("task", "category", "risk", "judge", "samples")
DROPPED_HEADS = ("risk", "judge", "category")
"""The columns that a narrow terminal leaves out, the first one first; `libra tasks show` has them."""


@click.command("list")
@click.option("--category", type=click.Choice(list(CATEGORIES)), help="Only the tasks of this category.")
@click.option("--all-versions", is_flag=True, help="Every version of a task, not only the newest.")
@click.option("--catalogue", is_flag=True, help="The published tasks that can be imported by name, stored or not.")
@output.json_option
@with_client
async def list_tasks(
    client: ServiceClient, category: str | None, *, all_versions: bool, catalogue: bool, as_json: bool
) -> None:
    """List the tasks by name."""
    number = CATEGORIES[category] if category else Category.CATEGORY_UNSPECIFIED
    if catalogue:
        return await print_catalogue(client, number, as_json=as_json)
    request = ListTasksRequest(page_size=1000, category=number, all_versions=all_versions)
    reply = await client.list_all(TaskServiceStub, "ListTasks", request, "tasks")
    if as_json:
        return output.print_json(reply)
    rows = [_cells(task, all_versions=all_versions) for task in reply.tasks]
    columns = _fitting_columns(rows)
    heads = [HEADS[column] for column in columns]
    table = output.new_table(*heads, right=("samples",), no_wrap=heads)
    for cells in rows:
        output.add_row(table, *(cells[column] for column in columns))
    output.print_table(table, empty="no task matches")
    return output.print_paragraphs(caveat_notes(reply.tasks))


async def print_catalogue(client: ServiceClient, category: int, *, as_json: bool) -> None:
    """Print the catalogue by name, or one category of it."""
    reply = await load_catalogue(client)
    others = [entry for entry in reply.entries if category and entry.task.category != category]
    for entry in others:
        reply.entries.remove(entry)
    if as_json:
        return output.print_json(reply)
    output.print_table(catalogue_table(reply.entries), empty="no task matches")
    output.print_paragraphs(caveat_notes(entry.task for entry in reply.entries))
    return click.echo(f"\n{catalogue_summary(reply.entries)}")


async def load_catalogue(client: ServiceClient) -> ListCatalogueResponse:
    """Return every task of the catalogue, by name."""
    reply: ListCatalogueResponse = await client.call(TaskServiceStub, "ListCatalogue", ListCatalogueRequest())
    return reply


async def find_entry(client: ServiceClient, name: str) -> CatalogueEntry:
    """Return a task of the catalogue; raise NotFound with the nearest names."""
    entries = {entry.task.name: entry for entry in (await load_catalogue(client)).entries}
    if name not in entries:
        raise NotFound.named("task of the catalogue", name, list(entries), field="header.catalogue")
    return entries[name]


def _cells(task: Task, *, all_versions: bool) -> list[str]:
    name = f"{task.name}@{task.version}" if all_versions else task.name
    return [marked_name(task, name), category_name(task.category), task.risk, task.judge.name, f"{task.sample_count:,}"]


def _fitting_columns(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the columns that fit the terminal."""
    columns = list(range(len(HEADS)))
    for head in DROPPED_HEADS:
        if output.fits_terminal([[cells[column] for column in columns] for cells in (HEADS, *rows)]):
            break
        columns.remove(HEADS.index(head))
    return columns
