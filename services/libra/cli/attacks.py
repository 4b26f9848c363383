"""`libra attacks`: the catalogue, and what an attack makes of a prompt."""

from __future__ import annotations

import click

from libra.cli import output
from libra.cli.attack_report import report
from libra.cli.client import Client, speaks
from libra.cli.conversation import print_messages
from libra.cli.errors import in_words
from libra.cli.numbers import INT64
from libra.errors import NotFound
from libra.v1.attack_pb2 import Attack, ListAttacksRequest, TransformRequest
from libra.v1.attack_pb2_grpc import AttackServiceStub
from libra.v1.message_pb2 import Message


@click.group()
def attacks() -> None:
    """Attacks: ways of rewriting a prompt so that a model forgets its caution."""


attacks.add_command(report)


@attacks.command("list")
@output.json_option
@speaks
async def list_attacks(client: Client, *, as_json: bool) -> None:
    """List the attacks, in order of name."""
    answer = await client.call(AttackServiceStub, "ListAttacks", ListAttacksRequest())
    if as_json:
        return output.emit_json(answer)
    table = output.columns("attack", "version", "what it does", whole=("attack", "version"))
    for attack in answer.attacks:
        output.add(table, attack.name, attack.version, attack.description)
    return output.show(table, empty="the catalogue is empty")


@attacks.command()
@click.argument("name")
@output.json_option
@speaks
async def show(client: Client, name: str, *, as_json: bool) -> None:
    """Show one attack, with what it makes of a harmless prompt."""
    catalogue = (await client.call(AttackServiceStub, "ListAttacks", ListAttacksRequest())).attacks
    found: Attack | None = next((attack for attack in catalogue if attack.name == name), None)
    if found is None:
        raise NotFound.named("attack", name, [attack.name for attack in catalogue], field="NAME")
    if as_json:
        return output.emit_json(found)
    output.pairs(
        [
            ("attack", found.name),
            ("version", found.version),
            ("what it does", found.description),
            ("source", found.source),
        ]
    )
    return print_messages(found.example)


@attacks.command("try")
@click.argument("name")
@click.argument("prompt")
@click.option("--system", default="", help="A system message to stand before the prompt.")
@click.option("--seed", type=INT64, default=0, show_default=True, help="Seeds the choices that the attack makes.")
@output.json_option
@speaks
async def try_attack(client: Client, name: str, prompt: str, system: str, seed: int, *, as_json: bool) -> None:
    """Print what the attack NAME makes of PROMPT.

    \b
    libra attacks try few_shots "How do magnets work?"

    The same prompt and seed always give the same text. No model is asked.
    """  # noqa: D301 - click reads the \b
    messages = [Message(role="system", content=system)] if system else []
    messages.append(Message(role="user", content=prompt))
    with in_words(lambda field: {"attack": "NAME", "messages": "PROMPT", "seed": "--seed"}.get(field, field)):
        answer = await client.call(
            AttackServiceStub, "Transform", TransformRequest(attack=name, messages=messages, seed=seed)
        )
    if as_json:
        output.emit_json(answer)
    else:
        print_messages(answer.messages)
