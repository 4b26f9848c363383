"""`libra labels list`: the labels of a run."""

from __future__ import annotations

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.format import utc_time
from libra.cli.run_lookup import RUN_FIELDS, resolve_run_id, run_argument
from libra.v1.label_pb2 import Label, ListLabelsRequest, ListLabelsResponse
from libra.v1.label_pb2_grpc import LabelServiceStub


@click.command("list")
@run_argument
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, help="Maximum number of labels; 0 for all."
)
@output.json_option
@with_client
async def list_labels(client: ServiceClient, run_id: str, limit: int, *, as_json: bool) -> None:
    """List the labels of a run beside the scores of the judge."""
    request = ListLabelsRequest(run=await resolve_run_id(client, run_id), page_size=min(limit or MAX_PAGE, MAX_PAGE))
    with field_names(RUN_FIELDS):
        reply: ListLabelsResponse = await client.list_all(
            LabelServiceStub, "ListLabels", request, "labels", limit=limit
        )
    if as_json:
        return output.print_json(reply)
    heads = ("label", "judge", "drawn", "author", "day", "model", "task", "sample", "earlier")
    table = output.new_table(*heads, right=("label", "judge", "drawn", "sample"), compact=True)
    for label in reply.labels:
        output.add_row(table, *_cells(label))
    output.print_table(table, empty="no answer of this run has a label; `libra labels draw` begins")
    if reply.next_page_token:
        output.print_note(f"these are the first {limit:,} labels; --limit 0 prints all")
    return None


def _cells(label: Label) -> list[str]:
    _, _, model, task, attack, sample, epoch = label.trial.split("/")
    name = task.partition("@")[0] + ("" if attack == "none" else f"+{attack}")
    place = f"{int(sample)}" if not int(epoch) else f"{int(sample)}/{int(epoch)}"
    drawn = f"{label.inclusion_probability:.0%}" if label.inclusion_probability else "no"
    earlier = ", ".join(f"{each.score:g} {each.author}" for each in label.earlier)
    scores = f"{label.score:g}", f"{label.judged_score:g}"
    return [*scores, drawn, label.author, utc_time(label.create_time, "day"), model, name, place, earlier]
