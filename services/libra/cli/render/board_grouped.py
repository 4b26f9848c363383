"""`libra board --by` and `--weights`: boards side by side, and the ranking at every weight."""

from __future__ import annotations

import click

from libra.cli.client import Client
from libra.cli.render import groups, output, weights
from libra.v1.ranking_pb2 import GetBoardRequest, GetGroupedBoardRequest, GetWeightsRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub

BESIDE_SECONDS = 300.0
"""What each sample contributes is gathered from the verdicts, the first time it is asked for."""


async def show(client: Client, wanted: GetBoardRequest, form: str, *, weights: bool, by: str, as_json: bool) -> None:
    """Print either; refuse options that the two have no answer for."""
    name = "--weights" if weights else "--by"
    if weights and by:
        raise click.UsageError("name either --weights or --by")
    if by and wanted.capability:
        raise click.UsageError("--by knows no --capability: a group's board shows what its samples show")
    if not as_json and form != "table":
        raise click.UsageError(f"{name} is printed as a table or as JSON")
    if weights:
        await print_weights(client, wanted, as_json=as_json)
    else:
        await print_grouped(client, wanted, by, as_json=as_json)


async def print_weights(client: Client, wanted: GetBoardRequest, *, as_json: bool) -> None:
    """Print the ranking at every weight."""
    request = GetWeightsRequest(
        runs=wanted.runs,
        models=wanted.models,
        capability=wanted.capability,
        correct_judges=wanted.correct_judges,
    )
    answer = await client.call(RankingServiceStub, "GetWeights", request, seconds=BESIDE_SECONDS)
    if as_json:
        return output.emit_json(answer)
    output.show(weights.ranges_of(answer), empty="no model has an Overall: it takes safety and capability")
    if answer.crossings:
        click.echo()
        output.show(weights.crossings_of(answer), empty="")
    for sentence in weights.remarks(answer):
        click.echo(sentence)
    return None


async def print_grouped(client: Client, wanted: GetBoardRequest, by: str, *, as_json: bool) -> None:
    """Print a board for each language, risk or value of a field."""
    request = GetGroupedBoardRequest(
        by=by, runs=wanted.runs, models=wanted.models, correct_judges=wanted.correct_judges
    )
    answer = await client.call(RankingServiceStub, "GetGroupedBoard", request, seconds=BESIDE_SECONDS)
    if as_json:
        return output.emit_json(answer)
    output.show(groups.table_of(answer, by), empty="no sample has a verdict in these runs")
    for sentence in groups.remarks(answer):
        click.echo(sentence)
    return None
