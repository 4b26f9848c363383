"""`libra schedule pause`, `resume` and `delete`."""

from __future__ import annotations

from typing import Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.schedules import schedule_summary
from libra.v1.schedule_pb2 import DeleteScheduleRequest, PauseScheduleRequest, ResumeScheduleRequest
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub

FIELDS = {"name": "SCHEDULE", "schedule": "SCHEDULE"}


@click.command()
@click.argument("name", metavar="SCHEDULE")
@output.json_option
@with_client
async def pause(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Pause a schedule.

    It does not fire, and firings that wait for a run are skipped.
    """
    reply = await _call(client, "PauseSchedule", PauseScheduleRequest(name=name))
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"schedule {name} is paused; `libra schedule resume {name}` resumes it")


@click.command()
@click.argument("name", metavar="SCHEDULE")
@output.json_option
@with_client
async def resume(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Resume a schedule. Times and new models of the pause do not fire."""
    reply = await _call(client, "ResumeSchedule", ResumeScheduleRequest(name=name))
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"schedule {name} is active: {schedule_summary(reply.schedule)}")


@click.command()
@click.argument("name", metavar="SCHEDULE")
@with_client
async def delete(client: ServiceClient, name: str) -> None:
    """Delete a schedule. Its firings and runs stay."""
    await _call(client, "DeleteSchedule", DeleteScheduleRequest(name=name))
    click.echo(f"schedule {name} deleted")


async def _call(client: ServiceClient, method: str, request: Any) -> Any:
    with field_names(FIELDS):
        return await client.call(ScheduleServiceStub, method, request)
