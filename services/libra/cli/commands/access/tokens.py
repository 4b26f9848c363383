"""`libra token`: the tokens of callers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import click
from google.protobuf.duration_pb2 import Duration

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.format import enum_name, utc_time
from libra.v1.token_pb2 import CreateTokenRequest, ListTokensRequest, RevokeTokenRequest, Role, Token
from libra.v1.token_pb2_grpc import TokenServiceStub

ROLES = {name.removeprefix("ROLE_").lower(): number for name, number in Role.items() if number}
FIELD_NAMES = {"name": "NAME", "role": "--role", "team": "--team", "lifetime": "--expires"}
SECRET_NOTE = "Give the token to its owner now: it is not shown again."  # noqa: S105 - not a secret
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Lifetime(click.ParamType[int]):
    """A length of time, such as 90d, in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds, or end the command with an error."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]{1,9})([smhd])", str(value))
        if not found:
            self.fail(f"{value!r} is not a number with s, m, h or d, for instance 90d", param, ctx)
        return int(found[1]) * UNIT_SECONDS[found[2]]


@click.group()
def token() -> None:
    """Create, list and revoke tokens.

    With LIBRA_ACCESS=tokens, every call needs one. Set LIBRA_TOKEN or LIBRA_TOKEN_FILE to send it.
    """


@token.command()
@click.argument("name", metavar="NAME")
@click.option("--role", type=click.Choice(list(ROLES)), required=True, help="The rights of its owner.")
@click.option("--team", default="", help="The team that limits its owner: see above.  [default: yours]")
@click.option("--expires", type=Lifetime(), metavar="TIME", help="Its lifetime, for instance 90d.  [default: no limit]")
@output.json_option
@with_client
async def create(client: ServiceClient, name: str, role: str, team: str, expires: int | None, *, as_json: bool) -> None:
    """Create a token and print it, once.

    A caller of a team sees what the team owns and what all teams share, and creates and changes only what its team
    owns. Without a team, a caller sees and changes everything that its role allows.
    """
    lifetime = None if expires is None else Duration(seconds=expires)
    request = CreateTokenRequest(name=name, role=ROLES[role], team=team, lifetime=lifetime)
    with field_names(FIELD_NAMES):
        reply = await client.call(TokenServiceStub, "CreateToken", request)
    if as_json:
        output.print_json(reply)
    else:
        click.echo(reply.secret)
        output.print_note(SECRET_NOTE)


@token.command("list")
@output.json_option
@with_client
async def list_tokens(client: ServiceClient, *, as_json: bool) -> None:
    """List all tokens, revoked and expired ones too.

    A caller of a team sees the tokens of the team.
    """
    reply = await client.call(TokenServiceStub, "ListTokens", ListTokensRequest())
    if as_json:
        return output.print_json(reply)
    table = output.new_table("name", "role", "team", "state", "expires", "last use", "created by")
    for each in reply.tokens:
        expires = utc_time(each.expire_time, "minute") if each.HasField("expire_time") else ""
        used = utc_time(each.last_use_time, "minute") if each.HasField("last_use_time") else ""
        role = enum_name(Role, each.role, "ROLE_")
        output.add_row(table, each.name, role, each.team, state(each), expires, used, each.creator)
    return output.print_table(table, empty="there are no tokens")


@token.command()
@click.argument("name", metavar="NAME")
@with_client
async def revoke(client: ServiceClient, name: str) -> None:
    """Revoke the token NAME.

    Within 10 seconds every service refuses it. This cannot be undone.
    """
    with field_names(FIELD_NAMES):
        await client.call(TokenServiceStub, "RevokeToken", RevokeTokenRequest(name=name))
    click.echo(f"token {name} revoked")


def state(token: Token) -> str:
    """Return "revoked", "expired" or "valid"."""
    if token.HasField("revoke_time"):
        return "revoked"
    has_expired = token.HasField("expire_time") and token.expire_time.ToDatetime(tzinfo=UTC) <= datetime.now(UTC)
    return "expired" if has_expired else "valid"
