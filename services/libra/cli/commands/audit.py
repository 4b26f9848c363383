"""`libra audit`: check that nothing of a run was lost or counted twice."""

from __future__ import annotations

import sys

import click

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.render import output
from libra.cli.render.sanitize import plain
from libra.cli.run_lookup import ID_WORDS, find_id
from libra.v1.ranking_pb2 import AuditRunRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub

LAWS_BROKEN = 1
AUDIT_SECONDS = 3600.0
"""It reads every verdict of the run."""

SHOWN_CONCERNED = 10


@click.command()
@click.argument("run_id", metavar="RUN")
@output.json_option
@speaks
async def audit(client: Client, run_id: str, *, as_json: bool) -> None:
    """Check the laws that every run must obey, on all that is stored of RUN.

    Each trial has one verdict, each score its completion, and the sums that boards are made of equal the verdicts. Exits 0
    if every law holds, 1 if one does not.
    """
    run_id = await find_id(client, run_id)
    with in_words(lambda field: ID_WORDS.get(field, field)):
        answer = await client.call(RankingServiceStub, "AuditRun", AuditRunRequest(run=run_id), seconds=AUDIT_SECONDS)
    broken = {finding.law for finding in answer.findings}
    if as_json:
        output.emit_json(answer)
    else:
        for law in answer.laws:
            click.echo(f"{'BROKEN' if law in broken else 'holds '}  {plain(law)}")
        for finding in answer.findings:
            click.secho(f"\n{plain(finding.law)}: {plain(finding.message)}", fg="red")
            for name in finding.concerned[:SHOWN_CONCERNED]:
                click.echo(f"    {plain(name)}")
            if len(finding.concerned) > SHOWN_CONCERNED:
                click.echo(f"    … and {len(finding.concerned) - SHOWN_CONCERNED} more (--json names up to 100)")
        read = f"{answer.verdicts:,} verdicts, {answer.cells:,} cells, {answer.completions:,} completions"
        click.echo(f"\n{read} were read: {'the audit fails' if broken else 'the audit passes'}.")
    if broken:
        sys.exit(LAWS_BROKEN)
