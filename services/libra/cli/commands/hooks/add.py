"""`libra hooks add`: register a webhook."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.core.event_types import EVENT_TYPES
from libra.v1.webhook_pb2 import CreateWebhookRequest, Webhook
from libra.v1.webhook_pb2_grpc import WebhookServiceStub

FIELDS = {"webhook.name": "HOOK", "webhook.url": "--url", "webhook.event_types": "--event", "webhook.team": "--team"}
SECRET_NOTE = "Give the secret to the receiver now: it is not shown again."  # noqa: S105 - not a secret


@click.command()
@click.argument("name", metavar="HOOK")
@click.option("--url", required=True, help="An https:// URL of a public address.")
@click.option(
    "--event", "event_types", multiple=True, metavar="TYPE", help="A type of event; repeatable.  [default: all]"
)
@click.option("--team", default="", metavar="TEAM", help="The team that owns it and sees its events.  [default: yours]")
@output.json_option
@with_client
async def add(
    client: ServiceClient, name: str, url: str, event_types: tuple[str, ...], team: str, *, as_json: bool
) -> None:
    """Register a webhook.

    It prints the secret with which the receiver checks signatures.
    """
    with field_names(FIELDS):
        request = CreateWebhookRequest(webhook=Webhook(name=name, url=url, event_types=event_types, team=team))
        reply = await client.call(WebhookServiceStub, "CreateWebhook", request)
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"hook {name} added; `libra hooks test {name}` sends a test event")
        click.echo(f"secret: {reply.secret}")
        output.print_note(SECRET_NOTE)


add.help = f"{add.help}\n\nTypes of events: {', '.join(EVENT_TYPES)}."
