"""`libra round open`: draw and seal samples, and publish their commitment."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files.round_files import atomic_file, require_absent, write_private
from libra.cli.param_types import INT32
from libra.cli.render import output
from libra.cli.render.rounds.round import print_round
from libra.v1.round_pb2 import OpenRoundRequest, OpenRoundResponse
from libra.v1.round_pb2_grpc import RoundServiceStub

OPEN_SECONDS = 600.0
"""The pool of every task is read once."""

FIELD_NAMES = {
    "name": "NAME",
    "tasks": "--tasks",
    "samples_per_task": "--samples-per-task",
    "anchor_share": "--anchors",
}


@click.command("open")
@click.argument("name")
@click.option(
    "--tasks",
    "--task",
    "tasks",
    multiple=True,
    required=True,
    metavar="NAME",
    help="A task, name@version, a category, or '*' for all; repeatable, or separated by commas.",
)
@click.option(
    "--samples-per-task", type=INT32, required=True, metavar="N", help="Samples of each task, anchors included."
)
@click.option(
    "--anchors",
    type=float,
    metavar="SHARE",
    help="The share carried over from the last round: 0.1 to 0.2, or 0.  [default: 0.15]",
)
@click.option(
    "--commitment",
    "commitment_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file for the commitment.  [default: NAME.commitment.json]",
)
@click.option(
    "--auditor-key-file",
    "key_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the auditor's key to this new file instead of printing it.",
)
@output.json_option
@with_client
async def open_round(
    client: ServiceClient,
    name: str,
    tasks: tuple[str, ...],
    samples_per_task: int,
    anchors: float | None,
    commitment_file: Path | None,
    key_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Open a round, and publish its commitment.

    \b
    libra round open 2027Q1 --tasks math,privacy_requests --samples-per-task 50

    The samples are drawn with a secret seed from those that were in no round before; a part are anchors, carried over
    from the last round. They stay sealed until the round is closed. From now on, every sample of these tasks that is
    not published is hidden, also those that were not drawn.

    The commitment is written to a file: publish it before the first run. The auditor's key is shown only once.
    """  # noqa: D301 - click reads the \b
    path = commitment_file or Path(f"{name}.commitment.json")
    check_files(path, key_file)
    request = OpenRoundRequest(
        name=name,
        tasks=[part for each in tasks for part in each.split(",") if part],
        samples_per_task=samples_per_task,
        anchor_share=anchors,
    )
    with field_names(FIELD_NAMES):
        reply: OpenRoundResponse = await client.call(
            RoundServiceStub, "OpenRound", request, timeout_seconds=OPEN_SECONDS
        )
    if key_file:
        write_private(key_file, reply.auditor_key)
    with atomic_file(path) as file:
        file.write(reply.commitment)
    if as_json:
        if key_file:
            reply.auditor_key = ""
        return output.print_json(reply)
    print_round(reply.round)
    for warning in reply.warnings:
        output.print_note(f"note: {warning}")
    click.echo(f"\nThe commitment is in {path}: publish it before the first run.")
    if key_file:
        return click.echo(f"The auditor's key is in {key_file}.")
    return click.echo(f"The auditor's key, which is not shown again:\n{reply.auditor_key}")


def check_files(commitment: Path, key: Path | None) -> None:
    """Raise Invalid if a file cannot be written: the key that a round is opened with is sent only once."""
    require_absent(commitment, option="--commitment")
    if key:
        require_absent(key, option="--auditor-key-file")
