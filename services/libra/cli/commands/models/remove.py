"""`libra models remove`: remove a registered model."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.model_fields import model_fields
from libra.v1.model_pb2 import DeleteModelRequest
from libra.v1.model_pb2_grpc import ModelServiceStub


@click.command()
@click.argument("name")
@with_client
async def remove(client: ServiceClient, name: str) -> None:
    """Remove a model. Its verdicts stay.

    A model cannot be removed while one of its runs is not finished.
    """
    with model_fields():
        await client.call(ModelServiceStub, "DeleteModel", DeleteModelRequest(name=name))
    click.echo(f"{name} is removed; its verdicts stay.")
