"""`libra tasks import`: bring a task of one's own, from a file or from Hugging Face."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import click

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.files.huggingface import Columns, Source, lines, raw_lines
from libra.cli.param_types import COUNT
from libra.cli.render import output
from libra.errors import NotFound
from libra.v1.task_pb2 import CatalogueEntry, ImportTaskHeader, ImportTaskRequest, ListCatalogueRequest
from libra.v1.task_pb2_grpc import TaskServiceStub

PIECE_BYTES = 1024 * 1024
THE_CARDS = ""
"""In place of a dataset: the one that the card of the catalogue names."""

DEFAULT_CONFIG = "default"
"""What the hub calls the configuration of a dataset that has no other."""
IMPORT_SECONDS = 600.0
WORDS = {
    "header.card_yaml": "--card",
    "header.catalogue": "--as",
    "header": "--card",
    "data": "FILE",
    "dataset": "--huggingface",
    "columns": "--messages, --prompt, --system, --id or --field",
}
"""How the command calls the fields of a request, and the parts of a dataset."""

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("file", type=FILE, required=False)
@click.option("--card", type=FILE, help="The card, a YAML file.")
@click.option(
    "--as", "name", metavar="NAME", help="Take card and conversion from the catalogue (tasks list --catalogue)."
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="With --as: the order in which options are listed."
)
@click.option(
    "--huggingface",
    "dataset",
    metavar="[DATASET]",
    is_flag=False,
    flag_value=THE_CARDS,
    help="Read this dataset of the hub, or folder, and no FILE; with --as, none named is the card's.",
)
@click.option("--split", default="", help="Which of the dataset's splits.  [default: test, or the card's]")
@click.option("--config", default="", help="Which of the dataset's configurations.")
@click.option("--revision", default="", help="Which of the dataset's commits or tags.")
@click.option("--rows", "limit", type=COUNT, default=0, help="Rows from the beginning.  [default: all]")
@click.option("--messages", default="messages", show_default=True, help="The column with the conversation.")
@click.option("--prompt", default="prompt", show_default=True, help="The column with the prompt, if there is no such.")
@click.option("--system", default="", help="The column with the system message.  [default: none]")
@click.option("--id", default="id", show_default=True, help="The column with the sample's id.")
@click.option("--field", "fields", multiple=True, help="Another column to keep; repeat it for more.  [default: all]")
@output.json_option
@speaks
async def import_task(
    client: Client,
    /,
    file: Path | None,
    card: Path | None,
    name: str | None,
    seed: int,
    dataset: str | None,
    *,
    as_json: bool,
    **given: Any,
) -> None:
    """Import a task: its samples and its card, or the records of a data set that the catalogue knows.

    \b
    libra tasks import mine.jsonl --card mine.yaml
    libra tasks import --huggingface owner/name --prompt question --card mine.yaml
    libra tasks import xstest_prompts.csv --as xstest
    libra tasks import --as xstest --huggingface

    With --card, each line of FILE is an object with `messages`, a list of {"role", "content"}; its other keys are kept for
    the judge. The card says what the task is for: name, category, judge, and more (`libra tasks show` shows one).

    With --as, FILE holds the records as they were published, as JSON Lines, JSON, CSV, TSV or a prompt on every line (.txt),
    and the catalogue's card says how they become samples.

    A task is imported whole or not at all; the same content again changes nothing, and another content makes a new version.
    """  # noqa: D301 - click reads the \b
    check_words(file, card, name, dataset)
    with in_words(lambda field: WORDS.get(field, field)):
        source = None if dataset is None else await source_of(client, dataset, name, given)
        title = source.name if source else file.name if file else ""
        header = ImportTaskHeader(
            card_yaml=read_card(card) if card else "", file_name=title, catalogue=name or "", seed=seed
        )
        with rows_of(source, given, as_published=bool(name)) if source else open_file(file) as records:
            answer = await client.call(TaskServiceStub, "ImportTask", requests(header, records), seconds=IMPORT_SECONDS)
    if as_json:
        return output.emit_json(answer)
    task, verb = answer.task, "was imported" if answer.created else "was there already"
    return click.echo(f"{task.name}@{task.version} {verb}: {task.sample_count:,} samples")


def check_words(file: Path | None, card: Path | None, name: str | None, dataset: str | None) -> None:
    """Raise click's error unless there is one source of records and one of the card."""
    if (file is None) == (dataset is None):
        raise click.UsageError("name either a FILE or a dataset with --huggingface")
    if (card is None) == (name is None):
        raise click.UsageError("name either a --card or a task of the catalogue with --as")
    if dataset == THE_CARDS and name is None:
        raise click.UsageError("--huggingface needs the name of a dataset, unless --as names a task of the catalogue")


async def source_of(client: Client, dataset: str, name: str | None, given: Mapping[str, Any]) -> Source:
    """Return which rows to read: what the command line says and, where it does not, what the catalogue's card does."""
    limits = {key: given[key] for key in ("revision", "limit")}
    if name is None:
        return Source(dataset, split=given["split"] or "test", config=given["config"], **limits)
    entry = await entry_named(client, name)
    if not entry.dataset and dataset == THE_CARDS:
        raise click.UsageError(f"{name} is on no hub as a dataset; its source: {entry.task.source}")
    config, _, split = entry.split.rpartition("/")
    config = given["config"] or ("" if config == DEFAULT_CONFIG else config)
    return Source(dataset or entry.dataset, split=given["split"] or split or "test", config=config, **limits)


async def entry_named(client: Client, name: str) -> CatalogueEntry:
    """Return the entry of the catalogue; raise NotFound with the nearest names."""
    answer = await client.call(TaskServiceStub, "ListCatalogue", ListCatalogueRequest())
    found: dict[str, CatalogueEntry] = {entry.task.name: entry for entry in answer.entries}
    if name not in found:
        raise NotFound.named("task of the catalogue", name, list(found), field="header.catalogue")
    return found[name]


async def requests(header: ImportTaskHeader, source: IO[bytes]) -> AsyncIterator[ImportTaskRequest]:
    """Yield the header, then the bytes of the file, at most 1 MiB at once."""
    yield ImportTaskRequest(header=header)
    while piece := source.read(PIECE_BYTES):
        yield ImportTaskRequest(data=piece)


def open_file(file: Path | None) -> IO[bytes]:
    """Return the file, open; one is there, since there is no dataset."""
    return (file or Path()).open("rb")


def rows_of(source: Source, given: Mapping[str, Any], *, as_published: bool) -> IO[bytes]:
    """Return a file with a dataset's rows as JSON Lines. Nothing is sent before all of them could be read."""
    fields = frozenset(given["fields"]) or None
    columns = Columns(**{key: given[key] for key in ("messages", "prompt", "system", "id")}, fields=fields)
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        file.writelines(raw_lines(source) if as_published else lines(source, columns))
        file.seek(0)
        stack.pop_all()
    return file


def read_card(card: Path) -> str:
    """Return the card's text; raise click's error if it is not UTF-8."""
    try:
        return card.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{card} is not UTF-8: byte {error.start}", param_hint="--card") from None
