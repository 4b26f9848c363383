"""`libra models show`: one registered model."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.model_fields import model_fields
from libra.cli.render import output
from libra.cli.render.models.model import print_model
from libra.v1.gateway_pb2 import ListModelsRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.model_pb2 import GetModelRequest
from libra.v1.model_pb2_grpc import ModelServiceStub


@click.command()
@click.argument("name")
@output.json_option
@with_client
async def show(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Show the entry, the price and the state of a model."""
    with model_fields():
        reply = await client.call(ModelServiceStub, "GetModel", GetModelRequest(name=name))
    if as_json:
        return output.print_json(reply)
    statuses = (await client.call(GatewayServiceStub, "ListModels", ListModelsRequest(name=name))).models
    return print_model(reply.model, statuses[0] if statuses else None)
