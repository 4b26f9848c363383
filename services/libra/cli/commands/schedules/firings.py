"""`libra schedule firings`: when schedules were due, and the run of each firing or why there is none."""

from __future__ import annotations

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.schedules import print_firings
from libra.v1.schedule_pb2 import ListFiringsRequest
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub


@click.command()
@click.argument("name", metavar="[SCHEDULE]", default="")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of firings.")
@output.json_option
@with_client
async def firings(client: ServiceClient, name: str, limit: int, *, as_json: bool) -> None:
    """List firings, the newest first.

    Of one schedule or of all, with their times in UTC.
    """
    request = ListFiringsRequest(schedule=name, page_size=min(limit, MAX_PAGE))
    with field_names({"schedule": "SCHEDULE"}):
        reply = await client.list_all(ScheduleServiceStub, "ListFirings", request, "firings", limit=limit)
    if as_json:
        output.print_json(reply)
    else:
        print_firings(reply.firings, "", with_schedule=not name)
