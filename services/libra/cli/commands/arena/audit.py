"""`libra arena audit`: check the arena's laws."""

from __future__ import annotations

import sys

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.exit_codes import NEEDS_ATTENTION
from libra.cli.render import output
from libra.cli.render.sanitize import sanitize
from libra.v1.arena_pb2 import AuditArenaRequest, AuditArenaResponse
from libra.v1.arena_pb2_grpc import ArenaServiceStub

AUDIT_SECONDS = 3600.0
"""The audit reads every vote and every battle."""


@click.command()
@output.json_option
@with_client
async def audit(client: ServiceClient, *, as_json: bool) -> None:
    """Check that no vote was lost, changed or counted twice.

    A battle has at most one vote, no vote was changed, and the ratings equal those that are computed again from the
    votes alone. The exit code is 0 if every law holds, and 1 if one is broken. The digest covers all votes: a later
    audit with the same votes prints the same.
    """
    reply: AuditArenaResponse = await client.call(
        ArenaServiceStub, "AuditArena", AuditArenaRequest(), timeout_seconds=AUDIT_SECONDS
    )
    if as_json:
        output.print_json(reply)
    else:
        for violation in reply.violations:
            click.secho(sanitize(violation), fg="red")
        click.echo(f"digest: {sanitize(reply.digest)}")
        result = "the audit fails" if reply.violations else "the audit passes"
        click.echo(f"The audit read {reply.votes:,} votes and {reply.battles:,} battles: {result}.")
    if reply.violations:
        sys.exit(NEEDS_ATTENTION)
