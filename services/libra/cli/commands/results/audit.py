"""`libra audit`: check that no trial of a run was lost or counted twice."""

from __future__ import annotations

import sys

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.exit_codes import NEEDS_ATTENTION
from libra.cli.render import output
from libra.cli.render.sanitize import sanitize
from libra.cli.run_lookup import RUN_FIELDS, resolve_run_id, run_argument
from libra.v1.ranking_pb2 import AuditRunRequest, AuditRunResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub

AUDIT_SECONDS = 3600.0
"""The audit reads every verdict of the run."""

MAX_CONCERNED_SHOWN = 10


@click.command()
@run_argument
@output.json_option
@with_client
async def audit(client: ServiceClient, run_id: str, *, as_json: bool) -> None:
    """Check that no trial of a run was lost or counted twice.

    Each trial must have exactly one verdict, each score a stored answer, and the sums behind the leaderboard must equal
    the verdicts. The exit code is 0 if every law holds, and 1 if one is broken.
    """
    run_id = await resolve_run_id(client, run_id)
    with field_names(RUN_FIELDS):
        reply: AuditRunResponse = await client.call(
            RankingServiceStub, "AuditRun", AuditRunRequest(run=run_id), timeout_seconds=AUDIT_SECONDS
        )
    if as_json:
        output.print_json(reply)
    else:
        print_audit(reply)
    if reply.findings:
        sys.exit(NEEDS_ATTENTION)


def print_audit(reply: AuditRunResponse) -> None:
    """Print each law with its result, then the findings, then what was read."""
    broken = {finding.law for finding in reply.findings}
    for law in reply.laws:
        click.echo(f"{'BROKEN' if law in broken else 'holds '}  {sanitize(law)}")
    for finding in reply.findings:
        click.secho(f"\n{sanitize(finding.law)}: {sanitize(finding.message)}", fg="red")
        for name in finding.concerned[:MAX_CONCERNED_SHOWN]:
            click.echo(f"    {sanitize(name)}")
        if len(finding.concerned) > MAX_CONCERNED_SHOWN:
            more = len(finding.concerned) - MAX_CONCERNED_SHOWN
            click.echo(f"    … and {more} more (--json names up to 100)")
    read = f"{reply.verdicts:,} verdicts, {reply.cells:,} cells and {reply.completions:,} completions"
    click.echo(f"\nThe audit read {read}: {'the audit fails' if broken else 'the audit passes'}.")
