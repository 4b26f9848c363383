"""`libra tasks import`: bring a task of one's own, from a file or from Hugging Face."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import click

from libra.cli import output
from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.huggingface import Columns, Source, lines
from libra.cli.numbers import COUNT
from libra.v1.task_pb2 import ImportTaskHeader, ImportTaskRequest
from libra.v1.task_pb2_grpc import TaskServiceStub

PIECE_BYTES = 1024 * 1024
IMPORT_SECONDS = 600.0
WORDS = {
    "header.card_yaml": "--card",
    "header": "--card",
    "data": "FILE",
    "dataset": "--huggingface",
    "columns": "--messages, --prompt, --system, --id or --field",
}
"""How the command calls the fields of a request, and the parts of a dataset."""

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("file", type=FILE, required=False)
@click.option("--card", type=FILE, required=True, help="The card, a YAML file.")
@click.option(
    "--huggingface", "dataset", metavar="DATASET", help="Read this dataset of the hub, or folder, and no FILE."
)
@click.option("--split", default="test", show_default=True, help="Which of the dataset's splits.")
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
    client: Client, /, file: Path | None, card: Path, dataset: str | None, *, as_json: bool, **given: Any
) -> None:
    """Import a task of your own: its samples, and its card.

    \b
    libra tasks import mine.jsonl --card mine.yaml
    libra tasks import --huggingface owner/name --split train --prompt question --card mine.yaml

    Each line of FILE is an object with `messages`, a list of {"role", "content"}; its other keys are kept for the judge. The
    card says what the task is for: name, category, judge, and more (`libra tasks show` shows one). A task is imported whole
    or not at all; the same content again changes nothing, and another content makes a new version.
    """  # noqa: D301 - click reads the \b
    if (file is None) == (dataset is None):
        raise click.UsageError("name either a FILE or a dataset with --huggingface")
    name = file.name if file else str(dataset)
    header = ImportTaskHeader(card_yaml=read_card(card), file_name=name)
    with in_words(lambda field: WORDS.get(field, field)), file.open("rb") if file else rows_of(name, given) as source:
        answer = await client.call(TaskServiceStub, "ImportTask", requests(header, source), seconds=IMPORT_SECONDS)
    if as_json:
        return output.emit_json(answer)
    task, verb = answer.task, "was imported" if answer.created else "was there already"
    return click.echo(f"{task.name}@{task.version} {verb}: {task.sample_count:,} samples")


async def requests(header: ImportTaskHeader, source: IO[bytes]) -> AsyncIterator[ImportTaskRequest]:
    """Yield the header, then the bytes of the file, at most 1 MiB at once."""
    yield ImportTaskRequest(header=header)
    while piece := source.read(PIECE_BYTES):
        yield ImportTaskRequest(data=piece)


def rows_of(dataset: str, given: Mapping[str, Any]) -> IO[bytes]:
    """Return a file with the dataset's rows as JSON Lines. Nothing is sent before all of them could be read."""
    source = Source(dataset, **{key: given[key] for key in ("split", "config", "revision", "limit")})
    fields = frozenset(given["fields"]) or None
    columns = Columns(**{key: given[key] for key in ("messages", "prompt", "system", "id")}, fields=fields)
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        file.writelines(lines(source, columns))
        file.seek(0)
        stack.pop_all()
    return file


def read_card(card: Path) -> str:
    """Return the card's text; raise click's error if it is not UTF-8."""
    try:
        return card.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{card} is not UTF-8: byte {error.start}", param_hint="--card") from None
