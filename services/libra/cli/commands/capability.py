"""`libra capability`: capability scores that were measured elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files.capability_csv import read
from libra.cli.param_types import EXISTING_FILE, CapabilityScale, CapabilityScaleType
from libra.cli.render import output
from libra.cli.render.format import utc_time
from libra.v1.ranking_pb2 import (
    Capability,
    ImportCapabilitiesRequest,
    ImportCapabilitiesResponse,
    ListCapabilitiesRequest,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub


@click.group()
def capability() -> None:
    """Import and list capability scores measured elsewhere.

    The leaderboard uses them for models that no capability task has measured.
    """


@capability.command("import")
@click.argument("file", type=EXISTING_FILE)
@click.option(
    "--scale",
    type=CapabilityScaleType(),
    required=True,
    metavar="NAME:ZERO:ONE",
    help="The name of the scale, and the scores that count as 0 and as 1, for instance elo:800:1500.",
)
@output.json_option
@with_client
async def import_scores(client: ServiceClient, file: Path, scale: CapabilityScale, *, as_json: bool) -> None:
    """Import capability scores from a CSV file.

    \b
    libra capability import scores.csv --scale elo:800:1500

    FILE has the columns model, score and, optionally, standard_error. A score counts as (score - ZERO) / (ONE -
    ZERO), limited to the range from 0 to 1. ZERO and ONE are fixed by you, so that no model's capability depends on
    the other models of a list.

    All scores are imported, or none. A new score of a model replaces its old one.
    """  # noqa: D301 - click reads the \b
    table = read(file)
    capabilities = [
        Capability(
            model=row.model,
            published=row.score,
            standard_error=row.standard_error,
            scale=scale.name,
            zero=scale.zero,
            one=scale.one,
            source=file.name,
        )
        for row in table.rows
    ]
    with field_names(table.location_of):
        request = ImportCapabilitiesRequest(capabilities=capabilities)
        reply: ImportCapabilitiesResponse = await client.call(RankingServiceStub, "ImportCapabilities", request)
    if as_json:
        return output.print_json(reply)
    count = len(reply.capabilities)
    click.echo(f"{count:,} score{'s were' if count > 1 else ' was'} imported; `libra capability list` shows them")
    for note in reply.notes:
        output.print_note(f"note: {note}")
    return None


@capability.command("list")
@output.json_option
@with_client
async def list_scores(client: ServiceClient, *, as_json: bool) -> None:
    """List the imported capability scores by model.

    `counts as` is the capability in percent, ± one standard error.
    """
    reply = await client.call(RankingServiceStub, "ListCapabilities", ListCapabilitiesRequest())
    if as_json:
        return output.print_json(reply)
    table = output.new_table(
        *("model", "score", "counts as", "scale", "from", "imported"),
        right=("score", "counts as"),
        no_wrap=("imported",),
    )
    for score in reply.capabilities:
        error = f"±{score.standard_error * 100:.1f}" if score.HasField("standard_error") else ""
        output.add_row(
            table,
            score.model,
            f"{score.published:g}",
            f"{score.value * 100:.1f}{error}",
            f"{score.scale}, {score.zero:g} to {score.one:g}",
            score.source,
            utc_time(score.create_time, "day"),
        )
    return output.print_table(table, empty="no score was imported; `libra capability import` imports scores")
