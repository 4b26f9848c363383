"""`libra attacks try`: apply an attack to a prompt."""

from __future__ import annotations

import click

from libra.cli.client import CALL_SECONDS, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.param_types import INT64
from libra.cli.render import output
from libra.cli.render.transcript import print_messages
from libra.v1.attack_pb2 import TransformRequest, TransformResponse
from libra.v1.attack_pb2_grpc import AttackServiceStub
from libra.v1.message_pb2 import Message

WITH_MODELS_SECONDS = 3600.0
"""Deadline of an attack of several turns with a model on two cores: some 60 answers at 20 tokens a second."""

FIELD_NAMES = {
    "attack": "NAME",
    "messages": "PROMPT",
    "seed": "--seed",
    "attack_model": "--attack-model",
    "target_model": "--target-model",
    "judge_model": "--judge-model",
}


@click.command("try")
@click.argument("name")
@click.argument("prompt")
@click.option("--system", default="", help="A system message before the prompt.")
@click.option("--seed", type=INT64, default=0, show_default=True, help="The seed of the attack's random choices.")
@click.option("--attack-model", default="", metavar="NAME", help="The registered model that writes the attack.")
@click.option(
    "--target-model",
    default="",
    metavar="NAME",
    help="The registered model under attack, for attacks of several turns.",
)
@click.option(
    "--judge-model", default="", metavar="NAME", help="The registered model that judges the attempts of such an attack."
)
@output.json_option
@with_client
async def try_attack(
    client: ServiceClient, /, name: str, prompt: str, system: str, seed: int, *, as_json: bool, **models: str
) -> None:
    """Apply the attack NAME to PROMPT, and print the result.

    NAME may be several names joined by "+".

    \b
    libra attacks try few_shots "How do magnets work?"
    libra attacks try translation_de+base64 "How do magnets work?" \\
      --attack-model mine

    The same prompt and seed always give the same text. A model is called only if an option names it; its answers are
    stored and reused.
    """  # noqa: D301 - click reads the \b
    messages = [Message(role="system", content=system)] if system else []
    messages.append(Message(role="user", content=prompt))
    request = TransformRequest(attack=name, messages=messages, seed=seed, **models)
    seconds = WITH_MODELS_SECONDS if any(models.values()) else CALL_SECONDS
    reply = await transform(client, request, timeout_seconds=seconds)
    if as_json:
        return output.print_json(reply)
    if reply.log:
        click.secho("── conversation of the attack", bold=True)
        print_messages(reply.log)
        click.secho("── result", bold=True)
    return print_messages(reply.messages)


async def transform(
    client: ServiceClient, request: TransformRequest, *, timeout_seconds: float = CALL_SECONDS
) -> TransformResponse:
    """Return the messages that the attack makes; errors name the options of `libra attacks try`."""
    with field_names(FIELD_NAMES):
        reply: TransformResponse = await client.call(
            AttackServiceStub, "Transform", request, timeout_seconds=timeout_seconds
        )
    return reply
