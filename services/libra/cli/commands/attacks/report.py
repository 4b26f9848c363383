"""`libra attacks report`: the success and the cost of each attack in a run."""

from __future__ import annotations

from itertools import groupby

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.attack_report import (
    TRANSFER_LEGEND,
    footnotes,
    report_table,
    transfer_table,
    tries_table,
    worst_line,
)
from libra.cli.render.sanitize import sanitize
from libra.cli.run_lookup import RUN_FIELDS, resolve_run_id, run_argument
from libra.v1.ranking_pb2 import ReportAttacksRequest, ReportAttacksResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub

REPORT_SECONDS = 600.0
"""The report looks up the cost of every answer."""


@click.command("report")
@run_argument
@click.option("--transfer", is_flag=True, help="Show which samples, broken on one model, are broken on another.")
@output.json_option
@with_client
async def report(client: ServiceClient, run_id: str, *, transfer: bool, as_json: bool) -> None:
    """Report the success and the cost of each attack in RUN.

    \b
    libra attacks report last

    The report compares each attack with the plain prompt. For that, the run must include the attack none. If the run
    has several epochs, it shows the success within k tries.
    """  # noqa: D301 - click reads the \b
    request = ReportAttacksRequest(run=await resolve_run_id(client, run_id))
    with field_names(RUN_FIELDS):
        reply: ReportAttacksResponse = await client.call(
            RankingServiceStub, "ReportAttacks", request, timeout_seconds=REPORT_SECONDS
        )
    if as_json:
        return output.print_json(reply)
    print_report(reply, transfer=transfer)
    return output.print_paragraphs(footnotes(reply))


def print_report(reply: ReportAttacksResponse, *, transfer: bool) -> None:
    """Print the tables of each model and, if wanted, the transfer between models."""
    worst = {case.model: case for case in reply.worst_cases}
    for model, group in groupby(reply.reports, key=lambda report: report.model):
        reports = list(group)
        click.secho(sanitize(model), bold=True)
        output.print_table(report_table(reports))
        if tries := tries_table(reports):
            output.print_table(tries)
        if model in worst:
            click.echo(worst_line(worst[model]))
        click.echo()
    if transfer:
        output.print_table(transfer_table(reply.transfers), empty="no attack broke a sample on two models' tasks")
        output.print_paragraphs([TRANSFER_LEGEND])
