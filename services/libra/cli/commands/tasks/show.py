"""`libra tasks show`: the card of a task and its first samples."""

from __future__ import annotations

from collections.abc import Iterable

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.commands.tasks.list import find_entry
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.tasks.task_catalogue import print_entry
from libra.cli.render.tasks.taxonomy_tags import tag_pairs
from libra.cli.render.transcript import print_block, print_messages
from libra.core.category_names import category_name
from libra.core.errors import NotFound
from libra.v1.task_pb2 import GetTaskRequest, ListSamplesRequest, Sample, Task
from libra.v1.task_pb2_grpc import TaskServiceStub
from libra.v1.taxonomy_pb2 import TaxonomyTags

FIELD_NAMES = {"name": "TASK", "task": "TASK"}


@click.command()
@click.argument("task")
@click.option("--samples", type=click.IntRange(0), default=3, show_default=True, help="Number of samples to print.")
@output.json_option
@with_client
async def show(client: ServiceClient, task: str, samples: int, *, as_json: bool) -> None:
    """Show the card of TASK and its first samples.

    TASK is a name or name@version. For a task of the catalogue that is not imported yet, its card is shown with the
    commands that import it.
    """
    with field_names(FIELD_NAMES):
        try:
            reply = await client.call(TaskServiceStub, "GetTask", GetTaskRequest(name=task))
        except NotFound as missing:
            return await show_entry(client, task, missing, as_json=as_json)
    if as_json:
        return output.print_json(reply)
    print_card(reply.task, reply.taxonomies)
    if samples:
        name = f"{reply.task.name}@{reply.task.version}"
        request = ListSamplesRequest(task=name, page_size=min(samples, MAX_PAGE))
        page = await client.list_all(TaskServiceStub, "ListSamples", request, "samples", limit=samples)
        for sample in page.samples:
            print_sample(sample)
    return None


async def show_entry(client: ServiceClient, task: str, missing: NotFound, *, as_json: bool) -> None:
    """Show a task of the catalogue; raise `missing` if the catalogue does not have it either."""
    try:
        entry = await find_entry(client, task)
    except NotFound:
        raise missing from None
    if as_json:
        return output.print_json(entry)
    print_card(entry.task, entry.taxonomies)
    return print_entry(entry)


def print_card(task: Task, taxonomies: Iterable[TaxonomyTags]) -> None:
    """Print the card of a task; a task of the catalogue has no version and no samples."""
    options = ", ".join(f"{name}: {value}" for name, value in sorted(task.judge.options.items()))
    output.print_pairs(
        [
            ("task", f"{task.name}@{task.version}" if task.version else task.name),
            ("category", category_name(task.category)),
            ("risk", task.risk),
            *tag_pairs(taxonomies),
            ("description", task.description),
            ("judge", f"{task.judge.name} ({options})" if options else task.judge.name),
            ("score", task.metric),
            ("balanced by", task.balanced_by),
            ("caveat", task.caveat),
            ("samples", f"{task.sample_count:,}" if task.version else ""),
            ("languages", ", ".join(task.languages)),
            ("licence", task.licence),
            ("source", task.source),
        ]
    )


def print_sample(sample: Sample) -> None:
    """Print the messages of a sample, and the fields for its judge."""
    sample_id = f" ({sample.id})" if sample.id not in ("", str(sample.ordinal)) else ""
    click.secho(f"\n── sample {sample.ordinal}{sample_id}", bold=True)
    if sample.sealed:
        click.echo("    (sealed: a round draws from this task, and this sample is not published)")
    print_messages(sample.messages)
    for name, value in sorted(sample.fields.items()):
        print_block(name, value)
