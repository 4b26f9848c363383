"""`libra round reveal` and `libra round looks`: show a sealed sample to an auditor, and who was shown any."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.commands.tasks.show import print_sample
from libra.cli.errors import field_names
from libra.cli.files.round_files import read_key
from libra.cli.param_types import EXISTING_FILE
from libra.cli.render import output
from libra.cli.render.format import utc_time
from libra.core.errors import Invalid
from libra.v1.round_pb2 import ListSealedLooksRequest, RevealSealedSampleRequest
from libra.v1.round_pb2_grpc import RoundServiceStub

FIELD_NAMES = {"round": "NAME", "task": "SAMPLE", "ordinal": "SAMPLE", "auditor_key": "--auditor-key-file"}


@click.command()
@click.argument("name")
@click.argument("sample")
@click.option(
    "--auditor-key-file", "key_file", type=EXISTING_FILE, required=True, help="The file with the round's key."
)
@output.json_option
@with_client
async def reveal(client: ServiceClient, name: str, sample: str, key_file: Path, *, as_json: bool) -> None:
    """Show a sealed sample, TASK/ORDINAL, to an auditor.

    Each look is recorded; `libra round looks` lists them. It works only on the machine that runs Libra.
    """
    task, _, ordinal = sample.rpartition("/")
    if not task or not ordinal.isdecimal():
        raise Invalid(f"{sample!r} is not TASK/ORDINAL, for instance math/4", field="SAMPLE")
    request = RevealSealedSampleRequest(round=name, task=task, ordinal=int(ordinal), auditor_key=read_key(key_file))
    with field_names(FIELD_NAMES):
        reply = await client.call(RoundServiceStub, "RevealSealedSample", request)
    if as_json:
        return output.print_json(reply)
    return print_sample(reply.sample)


@click.command("looks")
@click.argument("name")
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, help="Maximum number of looks; 0 for all."
)
@output.json_option
@with_client
async def list_looks(client: ServiceClient, name: str, limit: int, *, as_json: bool) -> None:
    """List who was shown sealed samples of a round."""
    request = ListSealedLooksRequest(round=name, page_size=min(limit or MAX_PAGE, MAX_PAGE))
    with field_names(FIELD_NAMES):
        reply = await client.list_all(RoundServiceStub, "ListSealedLooks", request, "looks", limit=limit)
    if as_json:
        return output.print_json(reply)
    table = output.new_table("time", "caller", "shown", "n", right=("n",), no_wrap=("time",))
    for look in reply.looks:
        output.add_row(table, utc_time(look.create_time, "second"), look.peer, look.subject, look.count)
    return output.print_table(table, empty=f"no sealed sample of {name} was shown to anyone")
