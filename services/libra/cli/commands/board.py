"""`libra board`: the leaderboard, by group (`--by`), at every weight (`--weights`), and `--tradeoff`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.commands.board_tradeoff import check_tradeoff_options, show_tradeoff, tradeoff_option
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.board import benchmark, board_grouped, weights
from libra.cli.render.board.board import board_table, footnotes, formulas_table, judges_table
from libra.cli.render.board.board_export import board_csv, board_markdown, grouped_markdown
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
FIELD_NAMES = {"runs": "--run", "models": "--model", "by": "--by", "round": "--round"}


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select what a board is made from."""
    for option in (
        click.option("--correct", is_flag=True, help="Correct the scores for the measured errors of the judges."),
        click.option(
            "--labels", "use_labels", is_flag=True, help="Correct the scores by people's labels of these answers."
        ),
        click.option(
            "--capability",
            type=click.Choice([name for name in CAPABILITIES if name]),
            default=None,
            help="The source of capability.  [default: tasks; imported for a model without them]",
        ),
        click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model; repeatable."),
        click.option("--run", "runs", multiple=True, metavar="RUN", help="Only this run, finished or not; repeatable."),
        click.option("--round", "round_name", default="", metavar="NAME", help="Only the finished runs of this round."),
    ):
        command = option(command)
    return command


@click.command()
@run_help
@request_options
@click.option("--benchmark-accuracy", is_flag=True, help="Also show intervals for these very samples (NIST AI 800-3).")
@click.option("--formulas", is_flag=True, help="Also show Overall by the sum and by the norm.")
@click.option("--judges", is_flag=True, help="Also show which judge version judged which tasks.")
@tradeoff_option
@click.option("--weights", "by_weight", is_flag=True, help="Show the ranking at every weight of safety instead.")
@click.option(
    "--by",
    default="",
    metavar="FIELD",
    help=(
        "Show a board for each language, risk, response (what came back), hazard (ailuminate, owasp, atlas) or value "
        "of a field instead."
    ),
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="The output format."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@with_client
async def board(
    client: ServiceClient,
    /,
    runs: tuple[str, ...],
    models: tuple[str, ...],
    capability: str | None,
    by: str,
    form: str,
    round_name: str,
    *,
    by_weight: bool,
    tradeoff: bool,
    correct: bool,
    use_labels: bool,
    as_json: bool,
    **shown: bool,
) -> None:
    """Show the leaderboard with 95 % intervals.

    Models are ranked by Overall, 1 - sqrt(((1 - capability)^2 + (1 - safety)^2) / 2): the distance to the optimum. A
    model that refuses everything, or agrees to everything, is far from it. Scores are percentages. Models with
    overlapping rank intervals are not distinguished.

    Without --run, the newest finished run of each model, task and attack counts, with --round those of the round. A row
    with * is incomplete: tasks are missing, or trials do not count. A capability with i was imported.
    """
    request = GetBoardRequest(
        runs=[await resolve_run_id(client, run) for run in runs],
        models=models,
        capability=CAPABILITIES[capability or ""],
        correct_judges=correct,
        round=round_name,
        use_labels=use_labels,
        benchmark_accuracy=shown["benchmark_accuracy"],
    )
    with field_names(FIELD_NAMES):
        as_json = as_json or form == "json"
        check_options(by, form, by_weight=by_weight, with_capability=bool(capability), as_json=as_json)
        check_corrections(request, by, form, by_weight=by_weight, tradeoff=tradeoff, as_json=as_json)
        if tradeoff:
            check_tradeoff_options(form, by=by, by_weight=by_weight, capability=capability, as_json=as_json)
            return await show_tradeoff(client, request, as_json=as_json)
        if by_weight:
            return await show_weights(client, request, as_json=as_json)
        if by:
            return await show_groups(client, request, by, form, as_json=as_json)
        reply: GetBoardResponse = await client.call(RankingServiceStub, "GetBoard", request)
    if as_json:
        return output.print_json(reply)
    return print_board(reply.board, **shown) if form == "table" else print_file(reply.board, form)


def check_options(by: str, form: str, *, by_weight: bool, with_capability: bool, as_json: bool) -> None:
    """Raise click's error for options that cannot be combined."""
    if by_weight and by:
        raise click.UsageError("give either --weights or --by")
    if by and with_capability:
        raise click.UsageError("--by cannot be combined with --capability: the samples of a group determine it")
    if by_weight and not as_json and form != "table":
        raise click.UsageError("--weights can be printed only as a table or as JSON")
    if by and not as_json and form == "csv":
        raise click.UsageError("--by can be printed only as a table, as Markdown or as JSON")


def check_corrections(
    request: GetBoardRequest, by: str, form: str, *, by_weight: bool, tradeoff: bool, as_json: bool
) -> None:
    """Raise click's error for corrections and benchmark accuracies that cannot be combined."""
    if by and request.use_labels:
        raise click.UsageError("--by cannot be combined with --labels: a group has too few of them")
    if tradeoff and request.use_labels:
        raise click.UsageError("--tradeoff cannot be combined with --labels")
    if not request.benchmark_accuracy:
        return
    if by or by_weight or tradeoff:
        raise click.UsageError("--benchmark-accuracy cannot be combined with --by, --weights or --tradeoff")
    if not as_json and form != "table":
        raise click.UsageError("--benchmark-accuracy can be printed only as a table or as JSON")
    if request.correct_judges or request.use_labels:
        raise click.UsageError(
            "--benchmark-accuracy is for scores as judged: give it without --correct and without --labels"
        )


def print_file(board: Board, form: str) -> None:
    """Print a board as CSV or as Markdown."""
    sys.stdout.write(board_csv(board) if form == "csv" else f"{board_markdown(board)}\n")


def print_board(
    board: Board, *, formulas: bool = False, judges: bool = False, benchmark_accuracy: bool = False
) -> None:
    """Print a board as tables with footnotes."""
    width = output.console().width
    empty = "the board is empty because no run has finished; `libra run create` starts one"
    output.print_table(board_table(board, width), empty=empty)
    if formulas and board.rows:
        click.echo("\nOverall by three formulas: the distance to the optimum, the sum, and the norm.")
        output.print_table(formulas_table(board, width))
    if benchmark_accuracy and board.rows:
        click.echo()
        output.print_paragraphs([benchmark.HEAD])
        output.print_table(benchmark.accuracies_table(board))
    if judges and board.rows:
        click.echo()
        output.print_table(judges_table(board), empty="no task was judged yet")
    output.print_paragraphs(footnotes(board, with_judges=not judges))


async def show_weights(client: ServiceClient, board: GetBoardRequest, *, as_json: bool) -> None:
    """Print the ranking at every weight between safety and capability."""
    request = GetWeightsRequest(
        runs=board.runs,
        models=board.models,
        capability=board.capability,
        correct_judges=board.correct_judges,
        round=board.round,
        use_labels=board.use_labels,
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


async def show_groups(client: ServiceClient, board: GetBoardRequest, by: str, form: str, *, as_json: bool) -> None:
    """Print a board for each language, risk, tag of a taxonomy or value of a field."""
    request = GetGroupedBoardRequest(
        by=by, runs=board.runs, models=board.models, correct_judges=board.correct_judges, round=board.round
    )
    reply: GetGroupedBoardResponse = await client.call(
        RankingServiceStub, "GetGroupedBoard", request, timeout_seconds=SAMPLE_QUERY_SECONDS
    )
    if as_json:
        return output.print_json(reply)
    if form == "markdown":
        return click.echo(grouped_markdown(reply, by))
    output.print_table(board_grouped.grouped_table(reply, by), empty="no sample of these runs has a verdict")
    return output.print_paragraphs(board_grouped.footnotes(reply))
