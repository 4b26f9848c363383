"""`libra arena propose` and `proposals`: prompts of battles for the next round."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.arena import print_proposals
from libra.v1.arena_pb2 import (
    ListProposalsRequest,
    ListProposalsResponse,
    Proposal,
    ProposePromptRequest,
    ProposePromptResponse,
)
from libra.v1.arena_pb2_grpc import ArenaServiceStub

FIELDS = {"proposal.battle": "BATTLE", "proposal.author": "--author", "proposal.note": "--note"}


@click.command()
@click.argument("battle", metavar="BATTLE")
@click.option("--author", required=True, metavar="NAME", help="The name of the proposer.")
@click.option("--note", default="", metavar="TEXT", help="The reason for the proposal.")
@output.json_option
@with_client
async def propose(client: ServiceClient, battle: str, author: str, note: str, *, as_json: bool) -> None:
    """Propose the prompt of a battle for the next round.

    The battle must have a vote. A second proposal of the same battle changes nothing.
    """
    request = ProposePromptRequest(proposal=Proposal(battle=battle, author=author, note=note))
    with field_names(FIELDS):
        reply: ProposePromptResponse = await client.call(ArenaServiceStub, "ProposePrompt", request)
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"the prompt of battle {battle} is proposed; `libra arena proposals` lists all proposals")


@click.command()
@output.json_option
@with_client
async def proposals(client: ServiceClient, *, as_json: bool) -> None:
    """List the proposed prompts, the newest first."""
    reply: ListProposalsResponse = await client.call(ArenaServiceStub, "ListProposals", ListProposalsRequest())
    if as_json:
        output.print_json(reply)
    else:
        print_proposals(reply.proposals)
