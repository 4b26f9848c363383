"""`libra labels import`: store the labels of a file."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files import label_sheet
from libra.cli.param_types import EXISTING_FILE
from libra.cli.render import output
from libra.cli.run_lookup import resolve_run_id, run_argument
from libra.v1.label_pb2 import ImportLabelsRequest, ImportLabelsResponse
from libra.v1.label_pb2_grpc import LabelServiceStub

REQUEST_LABELS = 5000
"""The most in one request."""


@click.command("import")
@run_argument
@click.argument("file", metavar="FILE", type=EXISTING_FILE)
@click.option("--author", default="", metavar="NAME", help="The author of labels in lines without an author.")
@output.json_option
@with_client
async def import_labels(client: ServiceClient, run_id: str, file: Path, author: str, *, as_json: bool) -> None:
    """Import the labels of FILE, which `libra labels draw` wrote.

    \b
    libra labels import last labels.csv --author ann

    Lines without a human_score are skipped. To import a label again changes nothing; another score or author replaces
    the label, and the earlier one is kept. Verdicts do not change.
    """  # noqa: D301 - click reads the \b
    sheet = label_sheet.read(file, author)
    run = await resolve_run_id(client, run_id)
    total = ImportLabelsResponse()
    for start in range(0, len(sheet.labels), REQUEST_LABELS):
        part = sheet.part(start, REQUEST_LABELS)
        with field_names(part.location_of):
            reply: ImportLabelsResponse = await client.call(
                LabelServiceStub,
                "ImportLabels",
                ImportLabelsRequest(run=run, labels=part.labels),
                timeout_seconds=SAMPLE_QUERY_SECONDS,
            )
        total.added += reply.added
        total.changed += reply.changed
        total.unchanged += reply.unchanged
    if as_json:
        return output.print_json(total)
    skipped = f"; {sheet.unlabelled:,} lines have no label" if sheet.unlabelled else ""
    return click.echo(f"{total.added:,} new labels, {total.changed:,} changed, {total.unchanged:,} as before{skipped}")
