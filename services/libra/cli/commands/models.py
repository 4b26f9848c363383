"""`libra models`: the registered models, both those under test and those that judge or write attacks."""

from __future__ import annotations

from typing import Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.param_types import COUNT
from libra.cli.render import output
from libra.cli.render.format import enum_name, utc_time
from libra.v1.gateway_pb2 import ListModelsRequest, ModelStatus
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.model_pb2 import (
    CreateModelRequest,
    DeleteModelRequest,
    GetModelRequest,
    Model,
    ModelLimits,
    ModelPrice,
    Provider,
)
from libra.v1.model_pb2_grpc import ModelServiceStub

FIELD_NAMES = {
    "model.name": "NAME",
    "model.provider": "--url or --scripted",
    "model.base_url": "--url",
    "model.remote_model": "--remote or --scripted",
    "model.api_key_env": "--key-env",
    "model.limits.max_in_flight": "--max-in-flight",
    "model.limits.requests_per_minute": "--requests-per-minute",
    "model.limits.tokens_per_minute": "--tokens-per-minute",
    "model.limits.timeout_seconds": "--timeout",
    "model.price.usd_per_million_prompt_tokens": "--prompt-price",
    "model.price.usd_per_million_completion_tokens": "--completion-price",
    "name": "NAME",
}
READY = "ready"
NOT_NEGATIVE = click.FloatRange(0)


@click.group()
def models() -> None:
    """Register, list, show and remove models.

    A registered model can be evaluated, judge answers, or write attacks.
    """


@models.command("list")
@output.json_option
@with_client
async def list_models(client: ServiceClient, *, as_json: bool) -> None:
    """List the registered models, and whether the gateway can call them."""
    reply = await client.call(GatewayServiceStub, "ListModels", ListModelsRequest())
    if as_json:
        return output.print_json(reply)
    table = output.new_table("model", "provider", "remote name", "endpoint", "state", no_wrap=("provider",))
    for status in reply.models:
        model = status.model
        provider = enum_name(Provider, model.provider, "PROVIDER_")
        remote = model.remote_model or model.name
        output.add_row(table, model.name, provider, remote, model.base_url, status.problem or READY)
    return output.print_table(table, empty="no model is registered; `libra models add` registers one")


@models.command()
@click.argument("name")
@output.json_option
@with_client
async def show(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Show a model: its endpoint, its limits and its prices."""
    with field_names(FIELD_NAMES):
        reply = await client.call(ModelServiceStub, "GetModel", GetModelRequest(name=name))
    if as_json:
        return output.print_json(reply)
    statuses = (await client.call(GatewayServiceStub, "ListModels", ListModelsRequest())).models
    return print_model(reply.model, next((status for status in statuses if status.model.name == name), None))


@models.command()
@click.argument("name")
@click.option("--url", default="", help="The base URL of an OpenAI-compatible endpoint, including /v1.")
@click.option("--remote", default="", help="The name of the model at the endpoint.  [default: NAME]")
@click.option(
    "--key-env", default="", metavar="VARIABLE", help="The environment variable of the gateway with the API key."
)
@click.option(
    "--scripted", default="", metavar="RULE", help="A reference model instead of an endpoint, for instance careful."
)
@click.option("--max-in-flight", type=COUNT, default=0, help="Maximum number of concurrent requests.  [default: 8]")
@click.option(
    "--requests-per-minute", type=COUNT, default=0, help="Maximum number of requests per minute.  [default: no limit]"
)
@click.option(
    "--tokens-per-minute",
    type=COUNT,
    default=0,
    help="Maximum number of prompt and answer tokens per minute.  [default: no limit]",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=NOT_NEGATIVE,
    default=0.0,
    help="Seconds before a request times out.  [default: 120]",
)
@click.option(
    "--prompt-price",
    "usd_per_million_prompt_tokens",
    type=NOT_NEGATIVE,
    default=0.0,
    help="US dollars per million prompt tokens.",
)
@click.option(
    "--completion-price",
    "usd_per_million_completion_tokens",
    type=NOT_NEGATIVE,
    default=0.0,
    help="US dollars per million answer tokens.",
)
@output.json_option
@with_client
async def add(
    client: ServiceClient,
    /,
    name: str,
    url: str,
    remote: str,
    key_env: str,
    scripted: str,
    *,
    as_json: bool,
    **options: Any,
) -> None:
    """Register a model as NAME.

    \b
    libra models add mine --url http://localhost:8000/v1
    libra models add big --url https://api.example.com/v1 --remote big-2 \\
      --key-env EXAMPLE_KEY

    API keys are never stored: the gateway reads the variable that --key-env names. A registered model cannot be
    changed, because verdicts refer to its name: register the changed model as another name.
    """  # noqa: D301 - click reads the \b
    if bool(url) == bool(scripted):
        raise click.UsageError("give either --url or --scripted")
    model = Model(
        name=name,
        provider=Provider.PROVIDER_SCRIPTED if scripted else Provider.PROVIDER_OPENAI,
        base_url=url,
        remote_model=scripted or remote,
        api_key_env=key_env,
        limits=ModelLimits(**{field.name: options[field.name] for field in ModelLimits.DESCRIPTOR.fields}),
        price=ModelPrice(**{field.name: options[field.name] for field in ModelPrice.DESCRIPTOR.fields}),
    )
    with field_names(FIELD_NAMES):
        reply = await client.call(ModelServiceStub, "CreateModel", CreateModelRequest(model=model))
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"{name} is registered. `libra run create --model {name} --task '*' --watch` evaluates it.")


@models.command()
@click.argument("name")
@with_client
async def remove(client: ServiceClient, name: str) -> None:
    """Remove a model. Its verdicts stay.

    A model cannot be removed while one of its runs is not finished.
    """
    with field_names(FIELD_NAMES):
        await client.call(ModelServiceStub, "DeleteModel", DeleteModelRequest(name=name))
    click.echo(f"{name} is removed; its verdicts stay.")


def print_model(model: Model, status: ModelStatus | None) -> None:
    """Print a model, one line for each field that is set."""
    limits = [f"{value:g} {field.name.replace('_', ' ')}" for field, value in model.limits.ListFields()]
    price = [f"{value:g} {field.name.replace('_', ' ')}" for field, value in model.price.ListFields()]
    output.print_pairs(
        [
            ("model", model.name),
            ("provider", enum_name(Provider, model.provider, "PROVIDER_")),
            ("endpoint", model.base_url),
            ("remote name", model.remote_model or model.name),
            ("API key", model.api_key_env and f"in the gateway's variable {model.api_key_env}"),
            ("limits", ", ".join(limits)),
            ("price", ", ".join(price)),
            ("registered", utc_time(model.create_time, "minute")),
            ("state", (status.problem or READY) if status else ""),
        ]
    )
