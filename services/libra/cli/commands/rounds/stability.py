"""`libra round stability`: the rankings of two rounds on the anchors that they share."""

from __future__ import annotations

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.rounds.reports import changes_table, stability_legend, stability_table, tau_line
from libra.v1.ranking_pb2 import ReportStabilityRequest, ReportStabilityResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub


@click.command()
@click.argument("earlier")
@click.argument("later")
@output.json_option
@with_client
async def stability(client: ServiceClient, earlier: str, later: str, *, as_json: bool) -> None:
    """Compare the rankings of two rounds on their anchors."""
    with field_names({"earlier": "EARLIER", "later": "LATER"}):
        reply: ReportStabilityResponse = await client.call(
            RankingServiceStub,
            "ReportStability",
            ReportStabilityRequest(earlier=earlier, later=later),
            timeout_seconds=SAMPLE_QUERY_SECONDS,
        )
    if as_json:
        return output.print_json(reply)
    output.print_table(stability_table(reply.models, earlier, later))
    click.echo(f"\n{tau_line(reply)}")
    if reply.changes:
        click.echo()
        output.print_table(changes_table(reply.changes))
    return output.print_paragraphs(stability_legend(reply))
