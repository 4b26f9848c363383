"""`libra attacks list`: the attacks in the catalogue."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.render import output
from libra.cli.render.tasks.taxonomy_tags import short_tags
from libra.core.errors import NotFound
from libra.v1.attack_pb2 import Attack, ListAttacksRequest, ListAttacksResponse, ModelUse
from libra.v1.attack_pb2_grpc import AttackServiceStub

MODEL_USE = {
    ModelUse.MODEL_USE_NEVER: "no",
    ModelUse.MODEL_USE_OPTIONAL: "optional",
    ModelUse.MODEL_USE_REQUIRED: "yes",
}


@click.command("list")
@click.option("--family", metavar="NAME", help="Only the attacks of this family, for instance encoding.")
@click.option("--tags", is_flag=True, help="Show the tags of OWASP and MITRE ATLAS instead of the description.")
@output.json_option
@with_client
async def list_attacks(client: ServiceClient, family: str | None, *, tags: bool, as_json: bool) -> None:
    """List the attacks by name.

    Attacks can be composed: `a+b` applies a, then b.
    """
    attacks = await load_attacks(client)
    if family is not None:
        families = sorted({attack.family for attack in attacks})
        if family not in families:
            raise NotFound.named("family", family, families, field="--family")
        attacks = [attack for attack in attacks if attack.family == family]
    if as_json:
        return output.print_json(ListAttacksResponse(attacks=attacks))
    last = "tags" if tags else "description"
    table = output.new_table("attack", "family", "model", last, no_wrap=("attack", "model"))
    for attack in attacks:
        text = short_tags(attack.taxonomies) if tags else attack.description
        output.add_row(table, attack.name, attack.family, MODEL_USE.get(attack.model_use, ""), text)
    output.print_table(table, empty="the catalogue is empty")
    return output.print_note(
        f"{len(attacks)} attacks; the column model shows whether a model writes the attack. "
        "`libra attacks show NAME` shows details."
    )


async def load_attacks(client: ServiceClient) -> list[Attack]:
    """Return every attack of the catalogue, by name."""
    return list((await client.call(AttackServiceStub, "ListAttacks", ListAttacksRequest())).attacks)
