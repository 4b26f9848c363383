"""`libra board`: who is where, and how surely."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.render import board_grouped, output
from libra.cli.render.board import formulas_of, judges_of, remarks, table_of
from libra.cli.render.board_export import csv_of, markdown_of
from libra.cli.run_lookup import find_id
from libra.v1.ranking_pb2 import Board, CapabilityChoice, GetBoardRequest, GetBoardResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub

FORMATS = ("table", "json", "csv", "markdown")
CAPABILITIES = {
    "": CapabilityChoice.CAPABILITY_CHOICE_UNSPECIFIED,
    "tasks": CapabilityChoice.CAPABILITY_CHOICE_TASKS,
    "imported": CapabilityChoice.CAPABILITY_CHOICE_IMPORTED,
}
OPTIONS = {"runs": "--run", "models": "--model", "by": "--by"}
"""What a field of the request is called here."""


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what a board is made of."""
    for option in (
        click.option("--correct", is_flag=True, help="Make all scores of those corrected for the judges' errors."),
        click.option(
            "--capability",
            type=click.Choice([name for name in CAPABILITIES if name]),
            default=None,
            help="Where capability comes from.  [default: tasks or, where a model has none, imported]",
        ),
        click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model; repeat it for more."),
        click.option(
            "--run", "runs", multiple=True, metavar="RUN", help="Only this run, finished or not; repeat it for more."
        ),
    ):
        command = option(command)
    return command


@click.command()
@choosing
@click.option("--formulas", is_flag=True, help="Show Overall by the sum and by the norm as well.")
@click.option("--judges", is_flag=True, help="Show which version of which judge judged what.")
@click.option("--weights", is_flag=True, help="Show the ranking at every weight between safety and capability instead.")
@click.option(
    "--by", default="", metavar="FIELD", help="Show a board for each language, risk or value of a field instead."
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="What to print.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@speaks
async def board(
    client: Client,
    runs: tuple[str, ...],
    models: tuple[str, ...],
    capability: str | None,
    by: str,
    form: str,
    *,
    weights: bool,
    correct: bool,
    formulas: bool,
    judges: bool,
    as_json: bool,
) -> None:
    """Print the leaderboard.

    Models stand in the order of Overall, 1 - sqrt(((1 - capability)^2 + (1 - safety)^2) / 2): the distance to the optimum,
    which neither refusing everything nor agreeing to everything comes near. Scores are percentages, with 95 % intervals;
    models whose ranks overlap cannot be told apart by these data.

    Without --run it is made of the newest finished run of each model, task and attack. A row marked * lacks tasks that others
    have, or trials that were not answered: it is not like the others. A capability marked i is imported.
    """
    wanted = GetBoardRequest(
        runs=[await find_id(client, run) for run in runs],
        models=models,
        capability=CAPABILITIES[capability or ""],
        correct_judges=correct,
    )
    as_json = as_json or form == "json"
    with in_words(lambda field: OPTIONS.get(field.partition("[")[0], field)):
        if weights or by:
            return await board_grouped.show(client, wanted, form, weights=weights, by=by, as_json=as_json)
        answer: GetBoardResponse = await client.call(RankingServiceStub, "GetBoard", wanted)
    if as_json:
        output.emit_json(answer)
    elif form == "csv":
        sys.stdout.write(csv_of(answer.board))
    elif form == "markdown":
        click.echo(markdown_of(answer.board))
    else:
        show(answer.board, formulas=formulas, judges=judges)
    return None


def show(board: Board, *, formulas: bool = False, judges: bool = False) -> None:
    """Print a board as tables, with what must be said under it."""
    width = output.console().width
    empty = "the board is empty: it shows finished runs, and `libra run create` starts one"
    output.show(table_of(board, width), empty=empty)
    if formulas and board.rows:
        click.echo("\nOverall by its distance to the optimum, as a mean, and as a norm:")
        output.show(formulas_of(board, width), empty="")
    if judges and board.rows:
        click.echo()
        output.show(judges_of(board), empty="nobody has judged yet")
    for sentence in remarks(board, judges=not judges):
        click.echo(sentence)
