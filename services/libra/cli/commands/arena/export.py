"""`libra arena export`: battles as JSON Lines, with a data card."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import click
from google.protobuf.json_format import MessageToJson

from libra.cli.client import ServiceClient, with_client
from libra.v1.arena_pb2 import ExportBattlesRequest
from libra.v1.arena_pb2_grpc import ArenaServiceStub

EXPORT_SECONDS = 3600.0
BATTLES, CARD = "battles.jsonl", "README.md"


@click.command()
@click.argument("folder", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@with_client
async def export(client: ServiceClient, folder: Path) -> None:
    """Write all battles with votes to FOLDER.

    Nothing about the visitors is written. battles.jsonl has one battle a line; README.md is the data card that
    describes the fields. Prompts are written as visitors typed them: read them before you publish the file.
    """
    count = 0
    replies = client.stream(ArenaServiceStub, "ExportBattles", ExportBattlesRequest(), timeout_seconds=EXPORT_SECONDS)
    with _create(folder / BATTLES) as lines:
        async for reply in replies:
            if reply.data_card:
                with _create(folder / CARD) as card:
                    card.write(reply.data_card)
            for battle in reply.battles:
                lines.write(MessageToJson(battle, preserving_proto_field_name=True, indent=None) + "\n")
                count += 1
    click.echo(f"{count:,} battles written to {folder / BATTLES}, with the data card {folder / CARD}")


def _create(path: Path) -> TextIO:
    """Return a new file, in a folder that is created if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8")
