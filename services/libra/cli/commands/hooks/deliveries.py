"""`libra hooks deliveries` and `replay`."""

from __future__ import annotations

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.format import enum_name, one_line, utc_time
from libra.v1.webhook_pb2 import DeliveryState, ListDeliveriesRequest, ReplayDeliveryRequest
from libra.v1.webhook_pb2_grpc import WebhookServiceStub

STATES = {name.removeprefix("DELIVERY_STATE_").lower(): number for name, number in DeliveryState.items() if number}
RESULT_CHARACTERS = 200


@click.command()
@click.argument("name", metavar="[HOOK]", default="")
@click.option("--state", type=click.Choice(list(STATES)), help="Only deliveries in this state.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of deliveries.")
@output.json_option
@with_client
async def deliveries(client: ServiceClient, name: str, state: str | None, limit: int, *, as_json: bool) -> None:
    """List deliveries, the newest first.

    Of one webhook or of all. They are kept for 30 days. A dead delivery was given up; `libra hooks replay` repeats it.
    """
    request = ListDeliveriesRequest(webhook=name, page_size=min(limit, MAX_PAGE))
    if state:
        request.state = STATES[state]
    with field_names({"webhook": "HOOK"}):
        reply = await client.list_all(WebhookServiceStub, "ListDeliveries", request, "deliveries", limit=limit)
    if as_json:
        return output.print_json(reply)
    table = output.new_table("delivery", "hook and event", "state", "result", no_wrap=("delivery",))
    for delivery in reply.deliveries:
        word = enum_name(DeliveryState, delivery.state, "DELIVERY_STATE_")
        again = f", again at {utc_time(delivery.next_time, 'minute')}" if delivery.HasField("next_time") else ""
        result = f"{delivery.result or 'not attempted yet'} (attempt {delivery.attempts}{again})"
        event = f"{delivery.webhook}: {delivery.event_type}"
        output.add_row(table, delivery.id, event, word, one_line(result, RESULT_CHARACTERS))
    return output.print_table(table, empty="there is no delivery")


@click.command()
@click.argument("deliveries", metavar="DELIVERIES", nargs=-1, required=True)
@with_client
async def replay(client: ServiceClient, deliveries: tuple[str, ...]) -> None:
    """Deliver dead deliveries again. The receiver sees the same event id."""
    for delivery in deliveries:
        with field_names({"id": "DELIVERY"}):
            await client.call(WebhookServiceStub, "ReplayDelivery", ReplayDeliveryRequest(id=delivery))
        click.echo(f"delivery {delivery} is due now")
