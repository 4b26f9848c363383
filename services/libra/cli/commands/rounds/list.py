"""`libra round list`: the rounds, the newest first."""

from __future__ import annotations

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.render import output
from libra.cli.render.rounds.round import rounds_table
from libra.v1.round_pb2 import ListRoundsRequest
from libra.v1.round_pb2_grpc import RoundServiceStub


@click.command("list")
@click.option(
    "--limit", type=click.IntRange(0), default=20, show_default=True, help="Maximum number of rounds; 0 for all."
)
@output.json_option
@with_client
async def list_rounds(client: ServiceClient, limit: int, *, as_json: bool) -> None:
    """List rounds, the newest first. The column sealed counts the samples that are not published."""
    request = ListRoundsRequest(page_size=min(limit or MAX_PAGE, MAX_PAGE))
    reply = await client.list_all(RoundServiceStub, "ListRounds", request, "rounds", limit=limit)
    if as_json:
        return output.print_json(reply)
    output.print_table(rounds_table(reply.rounds), empty="there is no round yet; `libra round open` opens one")
    if reply.next_page_token:
        output.print_note(f"these are the newest {limit:,} rounds; --limit 0 lists all")
    return None
