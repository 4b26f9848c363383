"""`libra tasks`: what models are asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import click

from libra.cli import output
from libra.cli.client import Client, speaks
from libra.cli.conversation import block, print_messages
from libra.cli.errors import in_words
from libra.cli.text import word
from libra.v1.task_pb2 import (
    Category,
    GetTaskRequest,
    ImportTaskHeader,
    ImportTaskRequest,
    ImportTaskResponse,
    ListSamplesRequest,
    ListTasksRequest,
    Sample,
    Task,
)
from libra.v1.task_pb2_grpc import TaskServiceStub

CATEGORIES = {name.removeprefix("CATEGORY_").lower(): number for name, number in Category.items() if number}
PIECE_BYTES = 1024 * 1024
IMPORT_SECONDS = 600.0
WORDS = {"name": "TASK", "task": "TASK", "header.card_yaml": "--card", "header": "--card", "data": "FILE"}


@click.group()
def tasks() -> None:
    """Tasks: sets of samples with a category and a judge."""


@tasks.command("list")
@click.option("--category", type=click.Choice(list(CATEGORIES)), help="Only the tasks that count there.")
@click.option("--all-versions", is_flag=True, help="Every version, and not just the newest of each task.")
@output.json_option
@speaks
async def list_tasks(client: Client, category: str | None, *, all_versions: bool, as_json: bool) -> None:
    """List the tasks, in order of name."""
    number = CATEGORIES[category] if category else Category.CATEGORY_UNSPECIFIED
    request = ListTasksRequest(page_size=1000, category=number, all_versions=all_versions)
    answer = await client.pages(TaskServiceStub, "ListTasks", request, "tasks")
    if as_json:
        return output.emit_json(answer)
    table = output.columns(
        "task", "version", "category", "risk", "judge", "samples", right=("samples",), whole=("version",)
    )
    for task in answer.tasks:
        output.add(table, task.name, task.version, kind(task), task.risk, task.judge.name, f"{task.sample_count:,}")
    return output.show(table, empty="no task is like that")


@tasks.command()
@click.argument("task")
@click.option("--samples", type=click.IntRange(0), default=3, show_default=True, help="How many samples to print.")
@output.json_option
@speaks
async def show(client: Client, task: str, samples: int, *, as_json: bool) -> None:
    """Show the card of TASK (name or name@version) and its first samples."""
    with in_words(lambda field: WORDS.get(field, field)):
        answer = await client.call(TaskServiceStub, "GetTask", GetTaskRequest(name=task))
    if as_json:
        return output.emit_json(answer)
    print_card(answer.task)
    if samples:
        request = ListSamplesRequest(task=f"{answer.task.name}@{answer.task.version}", page_size=min(samples, 500))
        page = await client.pages(TaskServiceStub, "ListSamples", request, "samples", limit=samples)
        for sample in page.samples:
            print_sample(sample)
    return None


@tasks.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--card", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="The card, a YAML file."
)
@output.json_option
@speaks
async def import_task(client: Client, file: Path, card: Path, *, as_json: bool) -> None:
    """Import a task of your own: FILE in JSON Lines, and its card.

    \b
    libra tasks import mine.jsonl --card mine.yaml

    Each line of FILE is an object with `messages`, a list of {"role", "content"}; its other keys are kept for the judge. The
    card says what it is for: name, category, judge, and more (`libra tasks show` shows one). A file is imported whole or not
    at all; the same content again changes nothing, and another content makes a new version.
    """  # noqa: D301 - click reads the \b
    header = ImportTaskHeader(card_yaml=read_card(card), file_name=file.name)
    answer = await send(client, header, pieces_of(file))
    if as_json:
        return output.emit_json(answer)
    task, verb = answer.task, "was imported" if answer.created else "was there already"
    return click.echo(f"{task.name}@{task.version} {verb}: {task.sample_count:,} samples")


async def send(client: Client, header: ImportTaskHeader, pieces: AsyncIterator[bytes]) -> ImportTaskResponse:
    """Send a card and the bytes of a file in pieces; raise Invalid naming what is wrong with them."""

    async def requests() -> AsyncIterator[ImportTaskRequest]:
        yield ImportTaskRequest(header=header)
        async for piece in pieces:
            yield ImportTaskRequest(data=piece)

    with in_words(lambda field: WORDS.get(field, field)):
        answer: ImportTaskResponse = await client.call(
            TaskServiceStub, "ImportTask", requests(), seconds=IMPORT_SECONDS
        )
    return answer


async def pieces_of(file: Path) -> AsyncIterator[bytes]:
    """Yield a file's bytes, at most 1 MiB at once."""
    with file.open("rb") as source:
        while piece := source.read(PIECE_BYTES):
            yield piece


def read_card(card: Path) -> str:
    """Return the card's text; raise click's error if it is not UTF-8."""
    try:
        return card.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{card} is not UTF-8: byte {error.start}", param_hint="--card") from None


def kind(task: Task) -> str:
    """Return the category as users write it."""
    return word(Category, task.category, "CATEGORY_")


def print_card(task: Task) -> None:
    """Print what a task is."""
    options = ", ".join(f"{name}: {value}" for name, value in sorted(task.judge.options.items()))
    output.pairs(
        [
            ("task", f"{task.name}@{task.version}"),
            ("category", kind(task)),
            ("risk", task.risk),
            ("what it asks", task.description),
            ("judge", f"{task.judge.name} ({options})" if options else task.judge.name),
            ("score 1 means", task.metric),
            ("samples", f"{task.sample_count:,}"),
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
