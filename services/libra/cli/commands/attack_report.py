"""`libra attacks report`: what each attack of a run achieved, and what it cost."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby

import click
from rich.table import Table

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.render import output
from libra.cli.render.board import points, span
from libra.cli.render.format import chance, count, dollars, seconds, signed, signed_span
from libra.cli.render.sanitize import plain
from libra.cli.run_lookup import ID_WORDS, find_id
from libra.v1.ranking_pb2 import AttackReport, ReportAttacksRequest, ReportAttacksResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub

REPORT_SECONDS = 600.0
"""It looks every answer's cost up."""

LINE = 79
LEGEND = (
    "Success is 100 % less the mean score over the run's risky tasks, with its 95 % interval. Gain is the success less that of the "
    "plain prompt on the samples both have a score of; p is that of no gain. Tokens, dollars and time are those of all answers, "
    "and of the models that wrote for the attack, whether asked for in this run or found in the store."
)


@click.command("report")
@click.argument("run_id", metavar="RUN")
@output.json_option
@speaks
async def report(client: Client, run_id: str, *, as_json: bool) -> None:
    """Report what the attacks of RUN achieved: their success, beside the plain prompt, and their cost.

    \b
    libra attacks report last

    RUN is a run's id, or `last` for the newest. A gain needs the attack none, the plain prompt, in the same run.
    """  # noqa: D301 - click reads the \b
    request = ReportAttacksRequest(run=await find_id(client, run_id))
    with in_words(lambda field: ID_WORDS.get(field, field)):
        answer: ReportAttacksResponse = await client.call(
            RankingServiceStub, "ReportAttacks", request, seconds=REPORT_SECONDS
        )
    if as_json:
        return output.emit_json(answer)
    for model, reports in groupby(answer.reports, key=lambda each: each.model):
        click.secho(plain(model), bold=True)
        output.show(table_of(list(reports)), empty="")
        click.echo()
    lines = [*([LEGEND] if answer.reports else []), *(f"note: {plain(note)}" for note in answer.notes)]
    for line in lines:
        click.echo(textwrap.fill(line, LINE))
    return None


def table_of(reports: Sequence[AttackReport]) -> Table:
    """Return one model's reports for a terminal of 80 columns."""
    heads = ("success", "95 %", "gain", "95 % ", "p", "tokens", "$", "time")
    table = output.columns("attack", *heads, right=heads)
    table.padding = (0, 0, 0, 0)  # what stands between two columns is the space of the box
    for each in reports:
        success = each.success if each.HasField("success") else None
        gained = (signed(each.gain.value), signed_span(each.gain)) if each.HasField("gain") else ("", "")
        output.add(
            table,
            each.attack,
            *(points(success), span(success)),
            *gained,
            chance(each.p) if each.HasField("p") else "",
            count(each.prompt_tokens + each.completion_tokens),
            dollars(each.cost_usd),
            seconds(each.seconds),
        )
    return table
