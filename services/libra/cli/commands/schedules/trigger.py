"""`libra schedule trigger`: fire a schedule now."""

from __future__ import annotations

from typing import IO

import click
from ulid import ULID

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.core.errors import Invalid
from libra.v1.schedule_pb2 import TriggerScheduleRequest
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub

FIELDS = {"name": "SCHEDULE", "token": "--token-file", "model": "--model", "request_id": "--request-id"}
MAX_TOKEN_CHARACTERS = 1000


@click.command()
@click.argument("name", metavar="SCHEDULE")
@click.option(
    "--token-file", type=click.File(), required=True, help="The file with the token of the schedule; - reads stdin."
)
@click.option("--model", default="", metavar="NAME", help="The model that {model} in the template stands for.")
@click.option("--request-id", default="", metavar="TEXT", help="A repeat with the same text does not fire again.")
@output.json_option
@with_client
async def trigger(
    client: ServiceClient, name: str, token_file: IO[str], model: str, request_id: str, *, as_json: bool
) -> None:
    """Fire a schedule that was created with --on-trigger.

    Other programs call ScheduleService.TriggerSchedule with the same token.
    """
    try:
        token = token_file.read(MAX_TOKEN_CHARACTERS).strip()
    except UnicodeDecodeError:
        raise Invalid("it is not a text file", field="--token-file") from None
    request = TriggerScheduleRequest(name=name, token=token, model=model, request_id=request_id or str(ULID()))
    with field_names(FIELDS):
        reply = await client.call(ScheduleServiceStub, "TriggerSchedule", request)
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"schedule {name} has fired; `libra schedule firings {name}` shows its run")
