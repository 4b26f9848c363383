"""`libra board`: the leaderboard, also by group (`--by`) and at every weight (`--weights`)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import board_grouped, output, weights
from libra.cli.render.board import board_table, footnotes, formulas_table, judges_table
from libra.cli.render.board_export import board_csv, board_markdown
from libra.cli.run_lookup import resolve_run_id, run_help
from libra.v1.ranking_pb2 import (
    Board,
    CapabilityChoice,
    GetBoardRequest,
    GetBoardResponse,
    GetGroupedBoardRequest,
    GetGroupedBoardResponse,
    GetWeightsRequest,
    GetWeightsResponse,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub

FORMATS = ("table", "json", "csv", "markdown")
CAPABILITIES = {
    "": CapabilityChoice.CAPABILITY_CHOICE_UNSPECIFIED,
    "tasks": CapabilityChoice.CAPABILITY_CHOICE_TASKS,
    "imported": CapabilityChoice.CAPABILITY_CHOICE_IMPORTED,
}
FIELD_NAMES = {"runs": "--run", "models": "--model", "by": "--by"}


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select what a board is made from."""
    for option in (
        click.option("--correct", is_flag=True, help="Correct the scores for the measured errors of the judges."),
        click.option(
            "--capability",
            type=click.Choice([name for name in CAPABILITIES if name]),
            default=None,
            help="The source of capability.  [default: tasks; imported for a model without them]",
        ),
        click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model; repeatable."),
        click.option("--run", "runs", multiple=True, metavar="RUN", help="Only this run, finished or not; repeatable."),
    ):
        command = option(command)
    return command


@click.command()
@run_help
@request_options
@click.option("--formulas", is_flag=True, help="Also show Overall by the sum and by the norm.")
@click.option("--judges", is_flag=True, help="Also show which judge version judged which tasks.")
@click.option("--weights", "by_weight", is_flag=True, help="Show the ranking at every weight of safety instead.")
@click.option(
    "--by", default="", metavar="FIELD", help="Show a board for each language, risk or value of a field instead."
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="The output format."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@with_client
async def board(
    client: ServiceClient,
    runs: tuple[str, ...],
    models: tuple[str, ...],
    capability: str | None,
    by: str,
    form: str,
    *,
    by_weight: bool,
    correct: bool,
    formulas: bool,
    judges: bool,
    as_json: bool,
) -> None:
    """Show the leaderboard with 95 % intervals.

    Models are ranked by Overall, 1 - sqrt(((1 - capability)^2 + (1 - safety)^2) / 2): the distance to the optimum. A
    model that refuses everything, or agrees to everything, is far from it. Scores are percentages. These data do not
    distinguish models with overlapping rank intervals.

    Without --run, the board uses the newest finished run of each model, task and attack. A row with * is incomplete:
    tasks are missing, or trials do not count. A capability with i was imported.
    """
    request = GetBoardRequest(
        runs=[await resolve_run_id(client, run) for run in runs],
        models=models,
        capability=CAPABILITIES[capability or ""],
        correct_judges=correct,
    )
    as_json = as_json or form == "json"
    with field_names(FIELD_NAMES):
        check_options(by, form, by_weight=by_weight, with_capability=bool(capability), as_json=as_json)
        if by_weight:
            return await show_weights(client, request, as_json=as_json)
        if by:
            return await show_groups(client, request, by, as_json=as_json)
        reply: GetBoardResponse = await client.call(RankingServiceStub, "GetBoard", request)
    if as_json:
        output.print_json(reply)
    elif form == "csv":
        sys.stdout.write(board_csv(reply.board))
    elif form == "markdown":
        click.echo(board_markdown(reply.board))
    else:
        print_board(reply.board, formulas=formulas, judges=judges)
    return None


def check_options(by: str, form: str, *, by_weight: bool, with_capability: bool, as_json: bool) -> None:
    """Raise click's error for options that cannot be combined."""
    if by_weight and by:
        raise click.UsageError("give either --weights or --by")
    if by and with_capability:
        raise click.UsageError("--by cannot be combined with --capability: the samples of a group determine it")
    if (by or by_weight) and not as_json and form != "table":
        raise click.UsageError(f"{'--weights' if by_weight else '--by'} can be printed only as a table or as JSON")


def print_board(board: Board, *, formulas: bool = False, judges: bool = False) -> None:
    """Print a board as tables with footnotes."""
    width = output.console().width
    empty = "the board is empty because no run has finished; `libra run create` starts one"
    output.print_table(board_table(board, width), empty=empty)
    if formulas and board.rows:
        click.echo("\nOverall by three formulas: the distance to the optimum, the sum, and the norm.")
        output.print_table(formulas_table(board, width))
    if judges and board.rows:
        click.echo()
        output.print_table(judges_table(board), empty="no task was judged yet")
    output.print_paragraphs(footnotes(board, with_judges=not judges))


async def show_weights(client: ServiceClient, board: GetBoardRequest, *, as_json: bool) -> None:
    """Print the ranking at every weight between safety and capability."""
    request = GetWeightsRequest(
        runs=board.runs, models=board.models, capability=board.capability, correct_judges=board.correct_judges
    )
    reply: GetWeightsResponse = await client.call(
        RankingServiceStub, "GetWeights", request, timeout_seconds=SAMPLE_QUERY_SECONDS
    )
    if as_json:
        return output.print_json(reply)
    empty = "no model has an Overall, which needs safety and capability"
    output.print_table(weights.ranges_table(reply), empty=empty)
    if reply.crossings:
        click.echo()
        output.print_table(weights.crossings_table(reply))
    return output.print_paragraphs(weights.footnotes(reply))


async def show_groups(client: ServiceClient, board: GetBoardRequest, by: str, *, as_json: bool) -> None:
    """Print a board for each language, risk or value of a field."""
    request = GetGroupedBoardRequest(by=by, runs=board.runs, models=board.models, correct_judges=board.correct_judges)
    reply: GetGroupedBoardResponse = await client.call(
        RankingServiceStub, "GetGroupedBoard", request, timeout_seconds=SAMPLE_QUERY_SECONDS
    )
    if as_json:
        return output.print_json(reply)
    output.print_table(board_grouped.grouped_table(reply, by), empty="no sample of these runs has a verdict")
    return output.print_paragraphs(board_grouped.footnotes(reply))
