"""`libra schedule create`: a template of runs, and what fires it."""

from __future__ import annotations

from typing import IO, Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files.run_file import parse
from libra.cli.files.run_spec import CombinedSpec, combine
from libra.cli.render import output
from libra.cli.render.schedules import next_times, schedule_summary
from libra.cli.spec_options import spec_options
from libra.v1.schedule_pb2 import (
    CreateScheduleRequest,
    CreateScheduleResponse,
    MissedPolicy,
    OverlapPolicy,
    Schedule,
)
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub

OVERLAP = {
    "skip": OverlapPolicy.OVERLAP_POLICY_SKIP,
    "queue": OverlapPolicy.OVERLAP_POLICY_QUEUE,
    "allow": OverlapPolicy.OVERLAP_POLICY_ALLOW,
}
MISSED = {"skip": MissedPolicy.MISSED_POLICY_SKIP, "catch-up": MissedPolicy.MISSED_POLICY_CATCH_UP}
OPTIONS = {
    "schedule.name": "SCHEDULE",
    "schedule.cron": "--cron",
    "schedule.zone": "--zone",
    "schedule.on_model": "--on-model",
    "schedule.on_trigger": "--on-trigger",
    "schedule.team": "--team",
}
TEMPLATE = "schedule.template"


@click.command()
@click.argument("schedule_name", metavar="SCHEDULE")
@click.option("--cron", default="", metavar="EXPRESSION", help="The times, for instance '0 2 * * *'.")
@click.option("--zone", default="", metavar="NAME", help="The time zone of --cron, as Europe/Berlin.  [default: UTC]")
@click.option("--on-model", default="", metavar="PATTERN", help="Fire for each new model with such a name, as 'rel-*'.")
@click.option("--on-trigger", is_flag=True, help="Fire at `libra schedule trigger`; prints a token for it.")
@click.option(
    "--overlap", type=click.Choice(list(OVERLAP)), default="skip", show_default=True, help="If a run has not ended."
)
@click.option(
    "--missed", type=click.Choice(list(MISSED)), default="skip", show_default=True, help="If Libra was down at a time."
)
@click.option("--team", default="", metavar="TEAM", help="The team that owns it and its runs.  [default: yours]")
@click.option("--spec", "file", type=click.File("rb"), metavar="FILE", help="A run file with the template.")
@spec_options
@click.option("--preview", is_flag=True, help="Check everything and show the next times, but create nothing.")
@output.json_option
@with_client
async def create(client: ServiceClient, /, *, file: IO[bytes] | None, as_json: bool, **options: Any) -> None:
    """Create a schedule.

    \b
    libra schedule create nightly --cron '0 2 * * *' --zone Europe/Berlin \\
      --model mine --task '*'
    libra schedule create releases --on-model 'release-*' \\
      --model '{model}' --task '*'

    The template has the options of `libra run create`; they replace the fields of the run file --spec. The model
    {model} stands for the new model, or for the one that a trigger names.

    At a change of the clock, a time that is skipped fires at the end of the gap, and one that happens twice fires
    once. An invalid schedule creates nothing, and the exit code is 2.
    """  # noqa: D301 - click reads the \b
    schedule = Schedule(
        name=options.pop("schedule_name"),
        **{name: options.pop(name) for name in ("cron", "zone", "on_model", "on_trigger", "team")},
        overlap=OVERLAP[options.pop("overlap")],
        missed=MISSED[options.pop("missed")],
    )
    preview: bool = options.pop("preview")
    combined = combine(parse(file.read(), file.name) if file else None, options)
    schedule.template.CopyFrom(combined.spec)
    with field_names(lambda field: user_name_of(combined, field)):
        request = CreateScheduleRequest(schedule=schedule, preview=preview)
        reply = await client.call(ScheduleServiceStub, "CreateSchedule", request)
    if as_json:
        output.print_json(reply)
    else:
        print_created(reply, preview=preview)


def user_name_of(combined: CombinedSpec, field: str) -> str:
    """Return what the user calls a field of a CreateScheduleRequest."""
    if field.startswith(TEMPLATE):
        return combined.user_name_of(field.replace(TEMPLATE, "spec", 1))
    return OPTIONS.get(field, field)


def print_created(reply: CreateScheduleResponse, *, preview: bool) -> None:
    """Print what the schedule does, when it fires next, and its token."""
    for warning in reply.warnings:
        output.print_note(f"note: {warning}")
    state = "would be created" if preview else "created"
    click.echo(f"schedule {reply.schedule.name} {state}: {schedule_summary(reply.schedule)}")
    for line in next_times(reply.schedule, reply.next_times):
        click.echo(f"  {line}")
    if reply.trigger_token:
        click.echo(f"token: {reply.trigger_token}")
        output.print_note("Store the token now: it is not shown again.")
