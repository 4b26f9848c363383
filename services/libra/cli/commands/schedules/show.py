"""`libra schedule show`: a schedule, its next times and its last firings."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.schedules.control import FIELDS
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.schedules import print_firings, print_schedule
from libra.v1.schedule_pb2 import GetScheduleRequest, ListFiringsRequest
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub

LAST_FIRINGS = 5


@click.command()
@click.argument("name", metavar="SCHEDULE")
@output.json_option
@with_client
async def show(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Show a schedule, its next times and its last firings."""
    with field_names(FIELDS):
        reply = await client.call(ScheduleServiceStub, "GetSchedule", GetScheduleRequest(name=name))
        if as_json:
            return output.print_json(reply)
        request = ListFiringsRequest(schedule=name, page_size=LAST_FIRINGS)
        firings = (await client.call(ScheduleServiceStub, "ListFirings", request)).firings
    print_schedule(reply.schedule, reply.next_times)
    if firings:
        click.echo()
        print_firings(firings, reply.schedule.zone)
    return None
