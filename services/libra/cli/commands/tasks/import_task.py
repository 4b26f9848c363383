"""`libra tasks import`: import a task from a file or from Hugging Face."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.tasks.list import find_entry
from libra.cli.errors import field_names
from libra.cli.files.huggingface import ColumnNames, DatasetSource, json_lines
from libra.cli.files.utf8 import decode_utf8
from libra.cli.param_types import COUNT, EXISTING_FILE
from libra.cli.render import output
from libra.v1.task_pb2 import ImportTaskHeader, ImportTaskRequest, ImportTaskResponse
from libra.v1.task_pb2_grpc import TaskServiceStub

CHUNK_BYTES = 1024 * 1024
DATASET_OF_CARD = ""
"""The value of --huggingface without a name: the data set that the catalogue's card names."""

DEFAULT_CONFIG = "default"
"""The hub's name for the configuration of a data set that has only one."""

DEFAULT_SPLIT = "test"
IMPORT_SECONDS = 600.0
FIELD_NAMES = {
    "header.card_yaml": "--card",
    "header.catalogue": "--as",
    "header": "--card",
    "data": "FILE",
    "dataset": "--huggingface",
    "columns": "--messages, --prompt, --system, --id or --field",
}


@click.command("import")
@click.argument("file", type=EXISTING_FILE, required=False)
@click.option("--card", type=EXISTING_FILE, help="The task's card, a YAML file.")
@click.option("--as", "name", metavar="NAME", help="Use the card and the conversion of this task of the catalogue.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="With --as: seeds the order of multiple-choice options."
)
@click.option(
    "--huggingface",
    "dataset",
    metavar="[DATASET]",
    is_flag=False,
    flag_value=DATASET_OF_CARD,
    help="Read a data set of the hub, or a local folder, instead of FILE.  [default with --as: the card's data set]",
)
@click.option("--split", default="", help="The split of the data set.  [default: the card's, or test]")
@click.option("--config", default="", help="The configuration of the data set.")
@click.option("--revision", default="", help="The commit or tag of the data set.")
@click.option("--rows", "limit", type=COUNT, default=0, help="Number of rows to read, from the first.  [default: all]")
@click.option("--messages", default="messages", show_default=True, help="The column of the conversation.")
@click.option(
    "--prompt", default="prompt", show_default=True, help="The column of the prompt, for rows without a conversation."
)
@click.option("--system", default="", help="The column of the system message.  [default: none]")
@click.option("--id", default="id", show_default=True, help="The column of the sample's id.")
@click.option("--field", "fields", multiple=True, help="Another column to keep; repeatable.  [default: all]")
@output.json_option
@with_client
async def import_task(
    client: ServiceClient,
    /,
    file: Path | None,
    card: Path | None,
    name: str | None,
    seed: int,
    dataset: str | None,
    *,
    as_json: bool,
    **options: Any,
) -> None:
    """Import a task from a file or from Hugging Face.

    \b
    libra tasks import mine.jsonl --card mine.yaml
    libra tasks import --huggingface owner/name --prompt question \\
      --card mine.yaml
    libra tasks import xstest_prompts.csv --as xstest
    libra tasks import --as xstest --huggingface

    FILE is JSON Lines, JSON, CSV (.csv), TSV (.tsv) or Parquet, also compressed with gzip.

    With --card, each record of FILE has `messages`, a list of {"role", "content"}, or a `prompt`. Its other columns are
    kept for the judge. The card has the name, the category and the judge of the task; `libra tasks show` prints a card.
    A card can name other columns: mapping: {messages: input, id: key, fields: {answer: target}}.

    With --as, FILE has the records in their published form, also as text with one prompt per line (.txt). The
    catalogue converts them to samples; `libra tasks list --catalogue` lists its tasks.

    All samples are imported, or none. The same content again changes nothing; other content creates a new version.
    """  # noqa: D301 - click reads the \b
    check_sources(file, card, name, dataset)
    with field_names(FIELD_NAMES):
        source = None if dataset is None else await dataset_source(client, dataset, name, options)
        header = ImportTaskHeader(
            card_yaml=read_card(card) if card else "",
            file_name=source.name if source else file.name if file else "",
            catalogue=name or "",
            seed=seed,
        )
        columns = None if name else column_names(options)
        with spool(source, columns) if source else (file or Path()).open("rb") as records:
            reply = await client.call(
                TaskServiceStub, "ImportTask", requests(header, records), timeout_seconds=IMPORT_SECONDS
            )
    print_import(reply, as_json=as_json)


def print_import(reply: ImportTaskResponse, *, as_json: bool) -> None:
    """Print the imported task and what is to be known before its runs."""
    if as_json:
        return output.print_json(reply)
    for warning in reply.warnings:
        output.print_note(f"note: {warning}")
    task, state = reply.task, "was imported" if reply.created else "was already imported"
    return click.echo(f"{task.name}@{task.version} {state}: {task.sample_count:,} samples")


def check_sources(file: Path | None, card: Path | None, name: str | None, dataset: str | None) -> None:
    """Raise click's error unless there is exactly one source of records and one of the card."""
    if (file is None) == (dataset is None):
        raise click.UsageError("give either FILE or --huggingface")
    if (card is None) == (name is None):
        raise click.UsageError("give either --card or --as")
    if dataset == DATASET_OF_CARD and name is None:
        raise click.UsageError("--huggingface needs the name of a data set, unless --as names a task of the catalogue")


async def dataset_source(
    client: ServiceClient, dataset: str, name: str | None, options: Mapping[str, Any]
) -> DatasetSource:
    """Return the rows to read: from the options and, for what they leave out, from the catalogue's card."""
    limits = {key: options[key] for key in ("revision", "limit")}
    if name is None:
        return DatasetSource(dataset, split=options["split"] or DEFAULT_SPLIT, config=options["config"], **limits)
    entry = await find_entry(client, name)
    if not entry.dataset and dataset == DATASET_OF_CARD:
        raise click.UsageError(f"{name} has no data set on the hub; its source is {entry.task.source}")
    config, _, split = entry.split.rpartition("/")
    config = options["config"] or ("" if config == DEFAULT_CONFIG else config)
    split = options["split"] or split or DEFAULT_SPLIT
    return DatasetSource(dataset or entry.dataset, split=split, config=config, **limits)


def column_names(options: Mapping[str, Any]) -> ColumnNames:
    """Return the column names that the options give."""
    fields = frozenset(options["fields"]) or None
    return ColumnNames(**{key: options[key] for key in ("messages", "prompt", "system", "id")}, fields=fields)


def read_card(card: Path) -> str:
    """Return the text of the card; raise Invalid if it is not UTF-8."""
    return decode_utf8(card.read_bytes(), str(card), field="--card")


async def requests(header: ImportTaskHeader, records: IO[bytes]) -> AsyncIterator[ImportTaskRequest]:
    """Yield the header, then the bytes of the file in chunks of 1 MiB."""
    yield ImportTaskRequest(header=header)
    while chunk := records.read(CHUNK_BYTES):
        yield ImportTaskRequest(data=chunk)


def spool(source: DatasetSource, columns: ColumnNames | None) -> IO[bytes]:
    """Return a temporary file with the rows as JSON Lines, so that nothing is sent before all rows could be read."""
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        file.writelines(json_lines(source, columns))
        file.seek(0)
        stack.pop_all()
    return file
