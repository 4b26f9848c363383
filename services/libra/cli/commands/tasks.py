"""`libra tasks`: what models are asked."""

from __future__ import annotations

from collections.abc import Sequence

import click

from libra.cli.client import Client, speaks
from libra.cli.commands.task_catalogue import list_catalogue, print_entry
from libra.cli.commands.task_import import entry_named, import_task
from libra.cli.errors import in_words
from libra.cli.render import output
from libra.cli.render.transcript import block, print_messages
from libra.contracts.categories import CATEGORIES, category_name
from libra.errors import NotFound
from libra.v1.task_pb2 import (
    Category,
    GetTaskRequest,
    ListSamplesRequest,
    ListTasksRequest,
    Sample,
    Task,
)
from libra.v1.task_pb2_grpc import TaskServiceStub

WORDS = {"name": "TASK", "task": "TASK"}
HEADS = ("task", "category", "risk", "judge", "samples")


@click.group()
def tasks() -> None:
    """Tasks: sets of samples with a category and a judge."""


tasks.add_command(import_task)


@tasks.command("list")
@click.option("--category", type=click.Choice(list(CATEGORIES)), help="Only the tasks that count there.")
@click.option("--all-versions", is_flag=True, help="Every version, and not just the newest of each task.")
@click.option(
    "--catalogue", is_flag=True, help="Every task that is known by name, whether its samples are there or not."
)
@output.json_option
@speaks
async def list_tasks(
    client: Client, category: str | None, *, all_versions: bool, catalogue: bool, as_json: bool
) -> None:
    """List the tasks, in order of name."""
    if catalogue:
        return await list_catalogue(client, CATEGORIES[category] if category else 0, as_json=as_json)
    number = CATEGORIES[category] if category else Category.CATEGORY_UNSPECIFIED
    request = ListTasksRequest(page_size=1000, category=number, all_versions=all_versions)
    answer = await client.pages(TaskServiceStub, "ListTasks", request, "tasks")
    if as_json:
        return output.emit_json(answer)
    rows = [row(task, all_versions=all_versions) for task in answer.tasks]
    shown = narrowed(rows)
    heads = [HEADS[place] for place in shown]
    table = output.columns(*heads, right=("samples",), whole=heads)
    for cells in rows:
        output.add(table, *(cells[place] for place in shown))
    return output.show(table, empty="no task is like that")


@tasks.command()
@click.argument("task")
@click.option("--samples", type=click.IntRange(0), default=3, show_default=True, help="How many samples to print.")
@output.json_option
@speaks
async def show(client: Client, task: str, samples: int, *, as_json: bool) -> None:
    """Show the card of TASK (name or name@version) and its first samples.

    Of a task of the catalogue that was not imported, its card is shown and how it is had.
    """
    with in_words(lambda field: WORDS.get(field, field)):
        try:
            answer = await client.call(TaskServiceStub, "GetTask", GetTaskRequest(name=task))
        except NotFound as missing:
            return await show_known(client, task, missing, as_json=as_json)
    if as_json:
        return output.emit_json(answer)
    print_card(answer.task)
    if samples:
        request = ListSamplesRequest(task=f"{answer.task.name}@{answer.task.version}", page_size=min(samples, 500))
        page = await client.pages(TaskServiceStub, "ListSamples", request, "samples", limit=samples)
        for sample in page.samples:
            print_sample(sample)
    return None


async def show_known(client: Client, task: str, missing: NotFound, *, as_json: bool) -> None:
    """Show what the catalogue says of a task; raise what is `missing` if it knows none of that name."""
    try:
        entry = await entry_named(client, task)
    except NotFound:
        raise missing from None
    if as_json:
        return output.emit_json(entry)
    print_card(entry.task)
    return print_entry(entry)


def row(task: Task, *, all_versions: bool) -> list[str]:
    """Return the cells of a task in the list."""
    name = f"{task.name}@{task.version}" if all_versions else task.name
    return [name, kind(task), task.risk, task.judge.name, f"{task.sample_count:,}"]


def narrowed(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return which columns the terminal has room for; `libra tasks show` has the others, too."""
    shown = list(range(len(HEADS)))
    for head in ("risk", "judge", "category"):
        if output.fits([[cells[place] for place in shown] for cells in (HEADS, *rows)]):
            break
        shown.remove(HEADS.index(head))
    return shown


def kind(task: Task) -> str:
    """Return the category as users write it."""
    return category_name(task.category)


def print_card(task: Task) -> None:
    """Print what a task is."""
    options = ", ".join(f"{name}: {value}" for name, value in sorted(task.judge.options.items()))
    output.pairs(
        [
            ("task", f"{task.name}@{task.version}" if task.version else task.name),
            ("category", kind(task)),
            ("risk", task.risk),
            ("what it asks", task.description),
            ("judge", f"{task.judge.name} ({options})" if options else task.judge.name),
            ("score 1 means", task.metric),
            ("samples", f"{task.sample_count:,}" if task.version else ""),
            ("languages", ", ".join(task.languages)),
            ("licence", task.licence),
            ("source", task.source),
        ]
    )


def print_sample(sample: Sample) -> None:
    """Print one sample: what is asked, and what the judge is told."""
    click.secho(
        f"\n── sample {sample.ordinal}" + (f" ({sample.id})" if sample.id != str(sample.ordinal) else ""), bold=True
    )
    print_messages(sample.messages)
    for name, value in sorted(sample.fields.items()):
        block(name, value)
