"""`libra models list`: the registered models."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.render import output
from libra.cli.render.models.model import print_models
from libra.v1.gateway_pb2 import ListModelsRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub


@click.command("list")
@output.json_option
@with_client
async def list_models(client: ServiceClient, *, as_json: bool) -> None:
    """List the registered models and their state."""
    reply = await client.list_all(GatewayServiceStub, "ListModels", ListModelsRequest(), "models")
    if as_json:
        return output.print_json(reply)
    return print_models(reply.models)
