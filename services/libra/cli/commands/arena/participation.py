"""`libra arena enter`, `leave` and `entries`."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.arena import print_entries
from libra.v1.arena_pb2 import (
    ArenaEntry,
    EnterModelRequest,
    EnterModelResponse,
    LeaveModelRequest,
    LeaveModelResponse,
    ListEntriesRequest,
    ListEntriesResponse,
)
from libra.v1.arena_pb2_grpc import ArenaServiceStub

FIELDS = {"entry.model": "MODEL", "entry.maker": "--maker", "model": "MODEL"}


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--maker", default="", metavar="NAME", help="The maker of the model; masked in answers.")
@click.option("--alias", "aliases", multiple=True, metavar="WORD", help="Another word that identifies it; repeatable.")
@output.json_option
@with_client
async def enter(client: ServiceClient, model: str, maker: str, aliases: tuple[str, ...], *, as_json: bool) -> None:
    """Let a registered model take part in battles.

    Words that identify the model are masked in its answers: its name, its maker and its aliases. A repeat replaces
    maker and aliases. A model that left takes part again.
    """
    request = EnterModelRequest(entry=ArenaEntry(model=model, maker=maker, aliases=aliases))
    with field_names(lambda field: FIELDS.get(field, "--alias" if "aliases" in field else field)):
        reply: EnterModelResponse = await client.call(ArenaServiceStub, "EnterModel", request)
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"model {model} takes part in the arena; `libra arena leave {model}` ends that")


@click.command()
@click.argument("model", metavar="MODEL")
@output.json_option
@with_client
async def leave(client: ServiceClient, model: str, *, as_json: bool) -> None:
    """End a model's part in new battles. Its battles, votes and rating stay."""
    with field_names(FIELDS):
        reply: LeaveModelResponse = await client.call(ArenaServiceStub, "LeaveModel", LeaveModelRequest(model=model))
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"model {model} has left the arena; its battles and votes stay")


@click.command()
@output.json_option
@with_client
async def entries(client: ServiceClient, *, as_json: bool) -> None:
    """List the models that take part or have left, with their votes."""
    reply: ListEntriesResponse = await client.call(ArenaServiceStub, "ListEntries", ListEntriesRequest())
    if as_json:
        output.print_json(reply)
    else:
        print_entries(reply.entries)
