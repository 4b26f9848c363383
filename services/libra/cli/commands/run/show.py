"""`libra run show`: the spec and the state of a run."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.render import output
from libra.cli.render.response_summary import response_summary
from libra.cli.render.runs.run import print_models, print_run
from libra.cli.run_lookup import find_run, run_argument


@click.command()
@run_argument
@output.json_option
@with_client
async def show(client: ServiceClient, run_id: str, *, as_json: bool) -> None:
    """Show the spec and the state of a run."""
    run = await find_run(client, run_id)
    if as_json:
        output.print_json(run)
    else:
        print_run(run)
        print_models(run)
        output.print_paragraphs(response_summary(run))
