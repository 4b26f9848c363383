"""`libra board`: who is where, and how surely."""

from __future__ import annotations

import sys

import click

from libra.cli import output
from libra.cli.board_text import csv_of, markdown_of, remarks, table_of
from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.runs import find_id
from libra.v1.ranking_pb2 import GetBoardRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub

FORMATS = ("table", "json", "csv", "markdown")


@click.command()
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Only this run, finished or not; repeat it for more.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model; repeat it for more.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="What to print.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@speaks
async def board(client: Client, runs: tuple[str, ...], models: tuple[str, ...], form: str, *, as_json: bool) -> None:
    """Print the leaderboard.

    Models stand in the order of Overall, 1 - sqrt(((1 - capability)^2 + (1 - safety)^2) / 2): the distance to the optimum,
    which neither refusing everything nor agreeing to everything comes near. Scores are percentages, ± one standard error.

    Without --run it is made of the newest finished run of each model, task and attack. A row marked * lacks tasks that others
    have, or trials that were not answered: it is not like the others.
    """
    wanted = [await find_id(client, run) for run in runs]
    with in_words(lambda field: {"runs": "--run", "models": "--model"}.get(field.partition("[")[0], field)):
        answer = await client.call(RankingServiceStub, "GetBoard", GetBoardRequest(runs=wanted, models=models))
    if as_json or form == "json":
        output.emit_json(answer)
    elif form == "csv":
        sys.stdout.write(csv_of(answer.board))
    elif form == "markdown":
        click.echo(markdown_of(answer.board))
    else:
        output.show(
            table_of(answer.board, output.console().width),
            empty="the board is empty: it shows finished runs, and `libra run create` starts one",
        )
        for sentence in remarks(answer.board):
            click.echo(sentence)
