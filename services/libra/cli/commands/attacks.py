"""`libra attacks`: the catalogue, and what an attack makes of a prompt."""

from __future__ import annotations

from collections.abc import Sequence

import click

from libra.cli.client import ANSWER_SECONDS, Client, speaks
from libra.cli.commands.attack_report import report
from libra.cli.errors import in_words
from libra.cli.param_types import INT64
from libra.cli.render import output
from libra.cli.render.transcript import print_messages
from libra.contracts.attacks import JOIN
from libra.errors import NotFound
from libra.v1.attack_pb2 import (
    Attack,
    ListAttacksRequest,
    ListAttacksResponse,
    ModelUse,
    TransformRequest,
    TransformResponse,
)
from libra.v1.attack_pb2_grpc import AttackServiceStub
from libra.v1.message_pb2 import Message

HARMLESS = Message(role="user", content="How do magnets work?")
MODELS_SECONDS = 3600.0
"""For an attack of several turns with a model on two cores: some 60 answers at 20 tokens a second."""

ASKS = {
    ModelUse.MODEL_USE_NEVER: "no",
    ModelUse.MODEL_USE_OPTIONAL: "may",
    ModelUse.MODEL_USE_REQUIRED: "must",
}
ASKS_AT_LENGTH = {
    ModelUse.MODEL_USE_NEVER: "no",
    ModelUse.MODEL_USE_OPTIONAL: "where one is named to write it (attack_model); else it follows its rules",
    ModelUse.MODEL_USE_REQUIRED: "yes: name one to write it (attack_model)",
}
WORDS = {
    "attack": "NAME",
    "messages": "PROMPT",
    "seed": "--seed",
    "attack_model": "--attack-model",
    "target_model": "--target-model",
    "judge_model": "--judge-model",
}
"""What the user calls the fields of a TransformRequest."""


@click.group()
def attacks() -> None:
    """Attacks: ways of rewriting a prompt so that a model forgets its caution."""


attacks.add_command(report)


@attacks.command("list")
@click.option("--family", metavar="NAME", help="Only those of one kind, for instance encoding.")
@output.json_option
@speaks
async def list_attacks(client: Client, family: str | None, *, as_json: bool) -> None:
    """List the attacks, in order of name.

    Several may be joined: `a+b` applies a, then b.
    """
    found = await catalogue(client)
    if family is not None:
        families = sorted({attack.family for attack in found})
        if family not in families:
            raise NotFound.named("family", family, families, field="--family")
        found = [attack for attack in found if attack.family == family]
    if as_json:
        return output.emit_json(ListAttacksResponse(attacks=found))
    table = output.columns("attack", "family", "model", "what it does", whole=("attack", "model"))
    for attack in found:
        output.add(table, attack.name, attack.family, ASKS.get(attack.model_use, ""), attack.description)
    output.show(table, empty="the catalogue is empty")
    return output.note(
        f"{len(found)} attacks; model: whether one is asked to write it. `libra attacks show NAME` tells more."
    )


@attacks.command()
@click.argument("name")
@output.json_option
@speaks
async def show(client: Client, name: str, *, as_json: bool) -> None:
    """Show one attack: what it does, where it was published, and what it makes of a harmless prompt.

    NAME may be several names joined by "+".
    """
    found = await named(client, name)
    if as_json:
        return output.emit_json(ListAttacksResponse(attacks=found) if len(found) > 1 else found[0])
    for attack in found:
        output.pairs(
            [
                ("attack", attack.name),
                ("version", attack.version),
                ("family", attack.family),
                ("what it does", attack.description),
                ("source", attack.source),
                ("asks a model", ASKS_AT_LENGTH.get(attack.model_use, "")),
                ("turns", "several, with the model under attack and a judge_model" if attack.multi_turn else ""),
            ]
        )
        click.echo()
    return print_messages(await example(client, name, found))


@attacks.command("try")
@click.argument("name")
@click.argument("prompt")
@click.option("--system", default="", help="A system message to stand before the prompt.")
@click.option("--seed", type=INT64, default=0, show_default=True, help="Seeds the choices that the attack makes.")
@click.option("--attack-model", default="", metavar="NAME", help="The registered model that writes it, if it asks one.")
@click.option(
    "--target-model", default="", metavar="NAME", help="The registered model under attack, for several turns."
)
@click.option("--judge-model", default="", metavar="NAME", help="The registered model that judges attempts, likewise.")
@output.json_option
@speaks
async def try_attack(
    client: Client, /, name: str, prompt: str, system: str, seed: int, *, as_json: bool, **models: str
) -> None:
    """Print what the attack NAME makes of PROMPT. NAME may be several names joined by "+".

    \b
    libra attacks try few_shots "How do magnets work?"
    libra attacks try translation_de+base64 "How do magnets work?" --attack-model mine

    The same prompt and seed always give the same text. A model is asked only where one is named, and only once: its answers
    are kept.
    """  # noqa: D301 - click reads the \b
    messages = [Message(role="system", content=system)] if system else []
    messages.append(Message(role="user", content=prompt))
    request = TransformRequest(attack=name, messages=messages, seed=seed, **models)
    seconds = MODELS_SECONDS if any(models.values()) else ANSWER_SECONDS
    with in_words(lambda field: WORDS.get(field, field)):
        answer = await client.call(AttackServiceStub, "Transform", request, seconds=seconds)
    if as_json:
        return output.emit_json(answer)
    if answer.log:
        click.secho("── what the attack went through", bold=True)
        print_messages(answer.log)
        click.secho("── what it comes to", bold=True)
    return print_messages(answer.messages)


async def catalogue(client: Client) -> list[Attack]:
    """Return every attack, in order of name."""
    return list((await client.call(AttackServiceStub, "ListAttacks", ListAttacksRequest())).attacks)


async def named(client: Client, name: str) -> list[Attack]:
    """Return the attacks that a name joins, in their order; raise NotFound."""
    known = {attack.name: attack for attack in await catalogue(client)}
    for step in name.split(JOIN):
        if step not in known:
            raise NotFound.named("attack", step, list(known), field="NAME")
    return [known[step] for step in name.split(JOIN)]


async def example(client: Client, name: str, steps: Sequence[Attack]) -> Sequence[Message]:
    """Return what the attack makes of a harmless prompt; nothing for a composition that cannot do without a model."""
    if len(steps) == 1:
        return steps[0].example
    if any(step.model_use == ModelUse.MODEL_USE_REQUIRED for step in steps):
        return []
    request = TransformRequest(attack=name, messages=[HARMLESS])
    with in_words(lambda field: WORDS.get(field, field)):
        made: TransformResponse = await client.call(AttackServiceStub, "Transform", request)
    return made.messages
