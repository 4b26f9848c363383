"""`libra models update`: change the limits and the ceiling of a model while it is used."""

from __future__ import annotations

from typing import Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.models.add import CEILING, NOT_NEGATIVE
from libra.cli.model_fields import model_fields
from libra.cli.option_groups import GroupedCommand, under
from libra.cli.param_types import COUNT
from libra.cli.render import output
from libra.cli.render.models.model import print_model
from libra.v1.model_pb2 import UpdateModelRequest
from libra.v1.model_pb2_grpc import ModelServiceStub


def changed(kind: Any, metavar: str, description: str) -> dict[str, Any]:
    """Return the attributes of an option whose value stays without it."""
    return {"type": kind, "metavar": metavar, "help": description}


LIMITS = (
    ("--max-in-flight", changed(COUNT, "N", "Maximum number of concurrent requests.")),
    ("--requests-per-minute", changed(COUNT, "N", "Maximum number of requests per minute.")),
    ("--tokens-per-minute", changed(COUNT, "N", "Maximum number of tokens per minute, in and out.")),
)
TIMEOUT = ("--timeout timeout_seconds", changed(NOT_NEGATIVE, "SECONDS", "Time limit of one request."))


@click.command(cls=GroupedCommand)
@click.argument("name")
@under("Limits; 0 is the default", *LIMITS, TIMEOUT)
@under("Ceiling; 0 is none", *CEILING)
@output.json_option
@with_client
async def update(client: ServiceClient, /, name: str, *, as_json: bool, **options: Any) -> None:
    """Change the limits and the ceiling of a model.

    \b
    libra models update mine --max-in-flight 32
    libra models update mine --ceiling-usd 50

    Running runs use the new values within seconds. What is not named stays. A model that has reached its ceiling is
    parked until midnight UTC; a higher ceiling lets it go on.
    """  # noqa: D301 - click reads the \b
    values = {option: value for option, value in options.items() if value is not None}
    with model_fields():
        reply = await client.call(ModelServiceStub, "UpdateModel", UpdateModelRequest(name=name, **values))
    if as_json:
        return output.print_json(reply)
    return print_model(reply.model, None)
