"""`libra board --tradeoff`: over-refusal against harm, for each model."""

from __future__ import annotations

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient
from libra.cli.render import output
from libra.cli.render.board import tradeoff
from libra.v1.ranking_pb2 import GetBoardRequest, GetTradeoffRequest, GetTradeoffResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub

tradeoff_option = click.option(
    "--tradeoff", is_flag=True, help="Show over-refusal against harm instead, also under attacks."
)


def check_tradeoff_options(form: str, *, by: str, by_weight: bool, capability: str | None, as_json: bool) -> None:
    """Raise click's error for options that cannot be combined with --tradeoff."""
    for option, is_given in (("--by", by), ("--weights", by_weight), ("--capability", capability)):
        if is_given:
            raise click.UsageError(f"give either --tradeoff or {option}")
    if not as_json and form != "table":
        raise click.UsageError("--tradeoff can be printed only as a table or as JSON")


async def show_tradeoff(client: ServiceClient, board: GetBoardRequest, *, as_json: bool) -> None:
    """Print the rates of each model, and its harm under each kind of pressure."""
    request = GetTradeoffRequest(
        runs=board.runs, models=board.models, correct_judges=board.correct_judges, round=board.round
    )
    reply: GetTradeoffResponse = await client.call(
        RankingServiceStub, "GetTradeoff", request, timeout_seconds=SAMPLE_QUERY_SECONDS
    )
    if as_json:
        return output.print_json(reply)
    output.print_table(tradeoff.rates_table(reply), empty="no finished run has risky or over-sensitive tasks")
    if any(each.points for each in reply.tradeoffs):
        click.echo()
        output.print_table(tradeoff.points_table(reply))
    return output.print_paragraphs(tradeoff.footnotes(reply))
