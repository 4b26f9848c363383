"""`libra arena quarantine` and `lift`: voters whose votes have no influence."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.arena import print_quarantine
from libra.v1.arena_pb2 import (
    LiftQuarantineRequest,
    LiftQuarantineResponse,
    ListQuarantineRequest,
    ListQuarantineResponse,
)
from libra.v1.arena_pb2_grpc import ArenaServiceStub


@click.command()
@output.json_option
@with_client
async def quarantine(client: ServiceClient, *, as_json: bool) -> None:
    """List the voters whose votes have no influence.

    Their votes are unlike chance and unlike those of other voters. No vote is deleted.
    """
    reply: ListQuarantineResponse = await client.call(ArenaServiceStub, "ListQuarantine", ListQuarantineRequest())
    if as_json:
        output.print_json(reply)
    else:
        print_quarantine(reply.voters)


@click.command()
@click.argument("voter", metavar="VOTER")
@output.json_option
@with_client
async def lift(client: ServiceClient, voter: str, *, as_json: bool) -> None:
    """Let the votes of a quarantined voter count again. The voter is not flagged again."""
    with field_names({"voter": "VOTER"}):
        reply: LiftQuarantineResponse = await client.call(
            ArenaServiceStub, "LiftQuarantine", LiftQuarantineRequest(voter=voter)
        )
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"the votes of voter {voter} count again")
