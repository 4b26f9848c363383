"""`libra hooks list`, `show`, `test`, `rotate` and `remove`."""

from __future__ import annotations

import sys
from typing import Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.hooks.add import SECRET_NOTE
from libra.cli.errors import field_names
from libra.cli.exit_codes import NEEDS_ATTENTION
from libra.cli.render import output
from libra.cli.render.format import utc_time
from libra.v1 import webhook_pb2
from libra.v1.webhook_pb2 import Webhook
from libra.v1.webhook_pb2_grpc import WebhookServiceStub


@click.command("list")
@output.json_option
@with_client
async def list_hooks(client: ServiceClient, *, as_json: bool) -> None:
    """List webhooks in order of name."""
    reply = await client.call(WebhookServiceStub, "ListWebhooks", webhook_pb2.ListWebhooksRequest())
    if as_json:
        return output.print_json(reply)
    table = output.new_table("hook", "state", "url")
    for webhook in reply.webhooks:
        output.add_row(table, webhook.name, _state(webhook), webhook.url)
    return output.print_table(table, empty="there is no webhook yet; `libra hooks add` adds one")


@click.command()
@click.argument("name", metavar="HOOK")
@output.json_option
@with_client
async def show(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Show a webhook, without its secret."""
    reply = await _call(client, "GetWebhook", webhook_pb2.GetWebhookRequest(name=name))
    if as_json:
        return output.print_json(reply)
    webhook = reply.webhook
    has_rotation = webhook.HasField("rotation_end_time")
    return output.print_pairs(
        [
            ("hook", webhook.name),
            ("team", webhook.team),
            ("url", webhook.url),
            ("state", _state(webhook)),
            ("reason", webhook.disable_reason),
            ("events", ", ".join(webhook.event_types) or "all"),
            ("secret", f"version {webhook.secret_version}"),
            ("old secret valid until", utc_time(webhook.rotation_end_time, "minute") if has_rotation else ""),
            ("created", utc_time(webhook.create_time, "minute")),
        ]
    )


@click.command("test")
@click.argument("name", metavar="HOOK")
@output.json_option
@with_client
async def test_hook(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Send a test event now, once.

    The exit code is 1 if the receiver does not accept it. A disabled webhook that accepts it is enabled again.
    """
    reply = await _call(client, "TestWebhook", webhook_pb2.TestWebhookRequest(name=name))
    if as_json:
        output.print_json(reply)
    else:
        output.print_paragraphs([f"{'delivered' if reply.delivered else 'not delivered'}: {reply.result}"])
    if not reply.delivered:
        sys.exit(NEEDS_ATTENTION)


@click.command()
@click.argument("name", metavar="HOOK")
@output.json_option
@with_client
async def rotate(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Make a new secret. For a day, events are signed with the old one too."""
    reply = await _call(client, "RotateWebhookSecret", webhook_pb2.RotateWebhookSecretRequest(name=name))
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"secret: {reply.secret}")
        output.print_note(SECRET_NOTE)


@click.command()
@click.argument("name", metavar="HOOK")
@with_client
async def remove(client: ServiceClient, name: str) -> None:
    """Remove a webhook. Its pending deliveries are given up."""
    await _call(client, "DeleteWebhook", webhook_pb2.DeleteWebhookRequest(name=name))
    click.echo(f"hook {name} removed")


async def _call(client: ServiceClient, method: str, request: Any) -> Any:
    with field_names({"name": "HOOK"}):
        return await client.call(WebhookServiceStub, method, request)


def _state(webhook: Webhook) -> str:
    return "disabled" if webhook.disable_reason else "enabled"
