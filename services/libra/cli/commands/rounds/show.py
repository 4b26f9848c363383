"""`libra round show` and `libra round commitment`: one round, and what it committed to."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files.round_files import atomic_file, require_absent
from libra.cli.render import output
from libra.cli.render.rounds.round import print_round
from libra.v1.round_pb2 import GetRoundCommitmentRequest, GetRoundRequest
from libra.v1.round_pb2_grpc import RoundServiceStub

FIELD_NAMES = {"name": "NAME"}


@click.command()
@click.argument("name")
@output.json_option
@with_client
async def show(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Show a round with its tasks and sealed samples."""
    with field_names(FIELD_NAMES):
        reply = await client.call(RoundServiceStub, "GetRound", GetRoundRequest(name=name))
    if as_json:
        return output.print_json(reply)
    return print_round(reply.round)


@click.command()
@click.argument("name")
@click.option(
    "--output", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this new file instead."
)
@with_client
async def commitment(client: ServiceClient, name: str, path: Path | None) -> None:
    """Print the commitment of the round NAME, a JSON document.

    It contains a salted hash of each sample, the root of their Merkle tree, the hash of the seed, and a signature.
    """
    if path:
        require_absent(path, option="--output")
    with field_names(FIELD_NAMES):
        reply = await client.call(RoundServiceStub, "GetRoundCommitment", GetRoundCommitmentRequest(name=name))
    if path:
        with atomic_file(path) as file:
            file.write(reply.commitment)
    else:
        click.echo(reply.commitment, nl=False)
