"""`libra attacks show`: the description of an attack, and an example."""

from __future__ import annotations

from collections.abc import Sequence

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.attacks.list import load_attacks
from libra.cli.commands.attacks.try_attack import transform
from libra.cli.render import output
from libra.cli.render.tasks.taxonomy_tags import tag_pairs
from libra.cli.render.transcript import print_messages
from libra.core.attack_names import JOIN
from libra.core.errors import NotFound
from libra.v1.attack_pb2 import Attack, ListAttacksResponse, ModelUse, TransformRequest
from libra.v1.message_pb2 import Message

HARMLESS = Message(role="user", content="How do magnets work?")
MODEL_USE = {
    ModelUse.MODEL_USE_NEVER: "no",
    ModelUse.MODEL_USE_OPTIONAL: "if an attack_model is set; without one the attack follows fixed rules",
    ModelUse.MODEL_USE_REQUIRED: "yes: it needs an attack_model",
}


@click.command()
@click.argument("name")
@output.json_option
@with_client
async def show(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Show an attack: its description, its source and an example.

    NAME may be several names joined by "+".
    """
    steps = await find_attacks(client, name)
    if as_json:
        return output.print_json(ListAttacksResponse(attacks=steps) if len(steps) > 1 else steps[0])
    for attack in steps:
        output.print_pairs(
            [
                ("attack", attack.name),
                ("version", attack.version),
                ("family", attack.family),
                ("description", attack.description),
                ("source", attack.source),
                *tag_pairs(attack.taxonomies),
                ("uses a model", MODEL_USE.get(attack.model_use, "")),
                ("request", "rewritten; a judge model measures success by the aim" if attack.rewrites_request else ""),
                ("turns", "several, with the model under attack and a judge_model" if attack.multi_turn else ""),
            ]
        )
        click.echo()
    return print_messages(await example(client, name, steps))


async def find_attacks(client: ServiceClient, name: str) -> list[Attack]:
    """Return the attacks that a name joins, in their order; raise NotFound."""
    known = {attack.name: attack for attack in await load_attacks(client)}
    for step in name.split(JOIN):
        if step not in known:
            raise NotFound.named("attack", step, list(known), field="NAME")
    return [known[step] for step in name.split(JOIN)]


async def example(client: ServiceClient, name: str, steps: Sequence[Attack]) -> Sequence[Message]:
    """Return the attack on a harmless prompt; nothing for a composition that needs a model."""
    if len(steps) == 1:
        return steps[0].example
    if any(step.model_use == ModelUse.MODEL_USE_REQUIRED for step in steps):
        return []
    return (await transform(client, TransformRequest(attack=name, messages=[HARMLESS]))).messages
