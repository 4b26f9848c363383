"""`libra schedule list`: all schedules."""

from __future__ import annotations

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.render import output
from libra.cli.render.schedules import causes, local_time
from libra.v1.schedule_pb2 import ListSchedulesRequest
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub


@click.command("list")
@output.json_option
@with_client
async def list_schedules(client: ServiceClient, *, as_json: bool) -> None:
    """List schedules in order of name."""
    request = ListSchedulesRequest(page_size=MAX_PAGE)
    reply = await client.list_all(ScheduleServiceStub, "ListSchedules", request, "schedules")
    if as_json:
        return output.print_json(reply)
    table = output.new_table("schedule", "fires", "next time", no_wrap=("next time",))
    for schedule in reply.schedules:
        time = local_time(schedule.next_time, schedule.zone) if schedule.HasField("next_time") else ""
        output.add_row(table, schedule.name, causes(schedule), "paused" if schedule.paused else time)
    return output.print_table(table, empty="there is no schedule yet; `libra schedule create` creates one")
