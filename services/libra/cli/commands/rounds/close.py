"""`libra round close` and `libra round release`: publish the samples of a round."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files.round_files import atomic_file, require_absent
from libra.cli.render import output
from libra.cli.render.format import byte_size
from libra.cli.render.rounds.round import print_round
from libra.v1.round_pb2 import CloseRoundRequest, CloseRoundResponse, GetRoundReleaseRequest
from libra.v1.round_pb2_grpc import RoundServiceStub

RELEASE_SECONDS = 600.0
FIELD_NAMES = {"name": "NAME"}
OUTPUT_OPTION = click.option(
    "--output",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file for the release.  [default: NAME.release.jsonl]",
)


@click.command()
@click.argument("name")
@OUTPUT_OPTION
@click.option(
    "--release-anchors", is_flag=True, help="Publish also the samples that the next round could use as anchors."
)
@output.json_option
@with_client
async def close(client: ServiceClient, name: str, path: Path | None, *, release_anchors: bool, as_json: bool) -> None:
    """Close the round NAME and write its release.

    The release contains the samples with their salts and inclusion proofs, the seed and a manifest. Samples that are
    kept as anchors for the next round stay sealed; the manifest says how many.
    """
    path = path or Path(f"{name}.release.jsonl")
    require_absent(path, option="--output")
    with field_names(FIELD_NAMES):
        request = CloseRoundRequest(name=name, release_anchors=release_anchors)
        reply: CloseRoundResponse = await client.call(
            RoundServiceStub, "CloseRound", request, timeout_seconds=RELEASE_SECONDS
        )
        size_bytes = await _write_release(client, name, path)
    if as_json:
        return output.print_json(reply)
    print_round(reply.round)
    return click.echo(f"\nThe release is in {path} ({byte_size(size_bytes)}).")


@click.command("release")
@click.argument("name")
@OUTPUT_OPTION
@with_client
async def get_release(client: ServiceClient, name: str, path: Path | None) -> None:
    """Write the release of the closed round NAME as it is now.

    A later release contains also the anchors that were published since.
    """
    path = path or Path(f"{name}.release.jsonl")
    require_absent(path, option="--output")
    with field_names(FIELD_NAMES):
        size_bytes = await _write_release(client, name, path)
    click.echo(f"The release is in {path} ({byte_size(size_bytes)}).")


async def _write_release(client: ServiceClient, name: str, path: Path) -> int:
    """Write the release to a file, whole or not at all; return its size in bytes."""
    request = GetRoundReleaseRequest(name=name)
    with atomic_file(path) as file:
        async for reply in client.stream(RoundServiceStub, "GetRoundRelease", request, timeout_seconds=RELEASE_SECONDS):
            file.write(reply.data)
        return file.tell()
