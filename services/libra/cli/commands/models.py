"""`libra models`: the systems under test, and the judges that are models."""

from __future__ import annotations

from typing import Any

import click

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.param_types import COUNT
from libra.cli.render import output
from libra.cli.render.sanitize import word
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

OPTIONS = {
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
"""How the command calls the fields of a request."""

AMOUNT = click.FloatRange(0)


@click.group()
def models() -> None:
    """Models: the systems under test, and those that judge."""


@models.command("list")
@output.json_option
@speaks
async def list_models(client: Client, *, as_json: bool) -> None:
    """List the registered models, and whether the gateway can ask them."""
    answer = await client.call(GatewayServiceStub, "ListModels", ListModelsRequest())
    if as_json:
        return output.emit_json(answer)
    table = output.columns("model", "provider", "asked as", "at", "state", whole=("provider",))
    for status in answer.models:
        model = status.model
        provider = word(Provider, model.provider, "PROVIDER_")
        remote = model.remote_model or model.name
        output.add(table, model.name, provider, remote, model.base_url, status.problem or "can be asked")
    return output.show(table, empty="no model is registered: `libra models add` registers one")


@models.command()
@click.argument("name")
@output.json_option
@speaks
async def show(client: Client, name: str, *, as_json: bool) -> None:
    """Show one model: where it is, what may be asked of it, what it costs."""
    with in_words(lambda field: OPTIONS.get(field, field)):
        answer = await client.call(ModelServiceStub, "GetModel", GetModelRequest(name=name))
    if as_json:
        return output.emit_json(answer)
    statuses = (await client.call(GatewayServiceStub, "ListModels", ListModelsRequest())).models
    return describe(answer.model, next((status for status in statuses if status.model.name == name), None))


@models.command()
@click.argument("name")
@click.option("--url", default="", help="The endpoint, up to and with /v1: any that speaks OpenAI's chat completions.")
@click.option("--remote", default="", help="What the endpoint calls the model, if not NAME.")
@click.option(
    "--key-env", default="", metavar="VARIABLE", help="The gateway's environment variable that holds the key."
)
@click.option("--scripted", default="", metavar="RULE", help="A reference model in place of an endpoint, e.g. careful.")
@click.option("--max-in-flight", type=COUNT, default=0, help="Requests at once, at most.  [default: 8]")
@click.option("--requests-per-minute", type=COUNT, default=0, help="Requests started in any minute, at most.")
@click.option("--tokens-per-minute", type=COUNT, default=0, help="Tokens, in and out, in any minute, at most.")
@click.option(
    "--timeout", "timeout_seconds", type=AMOUNT, default=0.0, help="Seconds that one request may take.  [default: 120]"
)
@click.option(
    "--prompt-price",
    "usd_per_million_prompt_tokens",
    type=AMOUNT,
    default=0.0,
    help="US dollars for a million tokens of prompts.",
)
@click.option(
    "--completion-price",
    "usd_per_million_completion_tokens",
    type=AMOUNT,
    default=0.0,
    help="US dollars for a million tokens of answers.",
)
@output.json_option
@speaks
async def add(
    client: Client,
    /,
    name: str,
    url: str,
    remote: str,
    key_env: str,
    scripted: str,
    *,
    as_json: bool,
    **given: Any,
) -> None:
    """Register a model under NAME.

    \b
    libra models add mine --url http://localhost:8000/v1
    libra models add big --url https://api.example.com/v1 --remote big-2 --key-env EXAMPLE_KEY

    A key is never stored: --key-env names the variable, and the gateway reads it when it asks. An entry is not changed in
    place, since its verdicts stand under its name: remove it and add it under another.
    """  # noqa: D301 - click reads the \b
    if bool(url) == bool(scripted):
        raise click.UsageError("name either an endpoint with --url or a rule with --scripted")
    model = Model(
        name=name,
        provider=Provider.PROVIDER_SCRIPTED if scripted else Provider.PROVIDER_OPENAI,
        base_url=url,
        remote_model=scripted or remote,
        api_key_env=key_env,
        limits=ModelLimits(**{field.name: given[field.name] for field in ModelLimits.DESCRIPTOR.fields}),
        price=ModelPrice(**{field.name: given[field.name] for field in ModelPrice.DESCRIPTOR.fields}),
    )
    with in_words(lambda field: OPTIONS.get(field, field)):
        answer = await client.call(ModelServiceStub, "CreateModel", CreateModelRequest(model=model))
    if as_json:
        output.emit_json(answer)
    else:
        click.echo(f"{name} is registered. `libra run create --model {name} --task '*' --watch` evaluates it.")


@models.command()
@click.argument("name")
@speaks
async def remove(client: Client, name: str) -> None:
    """Forget a model. Its verdicts stay.

    Refused while a run of it is not ended.
    """
    with in_words(lambda field: OPTIONS.get(field, field)):
        await client.call(ModelServiceStub, "DeleteModel", DeleteModelRequest(name=name))
    click.echo(f"{name} is forgotten; its verdicts stay.")


def describe(model: Model, status: ModelStatus | None) -> None:
    """Print a model, a line for each thing that is set."""
    limits = [f"{value:g} {field.name.replace('_', ' ')}" for field, value in model.limits.ListFields()]
    price = [f"{value:g} {field.name.replace('_', ' ')}" for field, value in model.price.ListFields()]
    output.pairs(
        [
            ("model", model.name),
            ("provider", word(Provider, model.provider, "PROVIDER_")),
            ("at", model.base_url),
            ("asked as", model.remote_model or model.name),
            ("key from", model.api_key_env and f"the gateway's variable {model.api_key_env}"),
            ("limits", ", ".join(limits)),
            ("price", ", ".join(price)),
            ("registered", model.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M UTC")),
            ("state", (status.problem or "can be asked") if status else ""),
        ]
    )
