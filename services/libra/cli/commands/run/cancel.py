"""`libra run cancel`: end a run early."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.runs.run import run_summary
from libra.cli.run_lookup import RUN_FIELDS, find_run, run_argument
from libra.v1.run_pb2 import CancelRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub


@click.command()
@run_argument
@output.json_option
@with_client
async def cancel(client: ServiceClient, run_id: str, *, as_json: bool) -> None:
    """Cancel a run.

    Its answers and verdicts stay, but the leaderboard does not count them. A run that has ended does not change.
    """
    run = await find_run(client, run_id)
    with field_names(RUN_FIELDS):
        reply = await client.call(RunServiceStub, "CancelRun", CancelRunRequest(id=run.id))
    if as_json:
        output.print_json(reply)
    else:
        click.echo(run_summary(reply.run))
