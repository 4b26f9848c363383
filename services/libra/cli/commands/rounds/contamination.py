"""`libra round contamination`: published samples against fresh ones."""

from __future__ import annotations

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.rounds.reports import contamination_legend, contamination_table
from libra.v1.ranking_pb2 import ReportContaminationRequest, ReportContaminationResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub


@click.command()
@click.argument("name")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model; repeatable.")
@output.json_option
@with_client
async def contamination(client: ServiceClient, name: str, models: tuple[str, ...], *, as_json: bool) -> None:
    """Compare published samples with the fresh ones of a round.

    \b
    libra run create --round 2027Q2 --model mine --watch
    libra run create --task math@2027Q1 --model mine --watch
    libra round contamination 2027Q2

    A model that was trained on published samples is better on them than on fresh samples of the same task. The model
    needs a finished run on the round, and one on the samples of a closed round, as in the example.
    """  # noqa: D301 - click reads the \b
    with field_names({"round": "NAME"}):
        reply: ReportContaminationResponse = await client.call(
            RankingServiceStub,
            "ReportContamination",
            ReportContaminationRequest(round=name, models=models),
            timeout_seconds=SAMPLE_QUERY_SECONDS,
        )
    if as_json:
        return output.print_json(reply)
    output.print_table(contamination_table(reply.gaps), empty="there is nothing to compare")
    return output.print_paragraphs(contamination_legend(reply))
