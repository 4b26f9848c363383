"""Prints schedules and their firings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.timestamp_pb2 import Timestamp

from libra.cli.render.format import enum_name, one_line, utc_time
from libra.cli.render.output import add_row, new_table, print_pairs, print_table
from libra.v1.schedule_pb2 import Firing, FiringCause, FiringState, MissedPolicy, OverlapPolicy, Schedule

REASON_CHARACTERS = 200


def local_time(timestamp: Timestamp, zone: str) -> str:
    """Return a time in a zone, or in UTC if this machine does not know the zone; seconds only if they are not 0."""
    try:
        local = timestamp.ToDatetime(tzinfo=UTC).astimezone(ZoneInfo(zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        local = timestamp.ToDatetime(tzinfo=UTC)
    return f"{local:%Y-%m-%d %H:%M:%S %Z}" if local.second else f"{local:%Y-%m-%d %H:%M %Z}"


def causes(schedule: Schedule) -> str:
    """Return what fires a schedule: "0 2 * * * Europe/Berlin, or a trigger"."""
    found = [f"{schedule.cron} {schedule.zone or 'UTC'}"] if schedule.cron else []
    found += [f"each new model {schedule.on_model}"] if schedule.on_model else []
    found += ["a trigger"] if schedule.on_trigger else []
    return ", or ".join(found)


def schedule_summary(schedule: Schedule) -> str:
    """Return what fires a schedule, and for which models, on one line."""
    return one_line(f"{causes(schedule)}, for {', '.join(schedule.template.models)}", 200)


def next_times(schedule: Schedule, times: Sequence[Timestamp]) -> list[str]:
    """Return the next times in the schedule's zone and, if this is another one, in UTC."""
    lines = []
    for time in times:
        local, utc = local_time(time, schedule.zone), local_time(time, "")
        lines.append(local if local == utc else f"{local} ({utc})")
    return lines


def print_schedule(schedule: Schedule, times: Sequence[Timestamp]) -> None:
    """Print a schedule, one line for each field that is set."""
    template = schedule.template
    print_pairs(
        [
            ("schedule", schedule.name),
            ("team", schedule.team),
            ("fires", causes(schedule)),
            ("state", "paused" if schedule.paused else "active"),
            ("overlap", enum_name(OverlapPolicy, schedule.overlap, "OVERLAP_POLICY_")),
            ("missed", enum_name(MissedPolicy, schedule.missed, "MISSED_POLICY_").replace("_", "-")),
            ("created", utc_time(schedule.create_time, "second")),
            ("run name", template.name),
            ("models", ", ".join(template.models)),
            ("tasks", ", ".join(template.tasks)),
            ("attacks", ", ".join(template.attacks)),
            ("samples", f"{template.samples_per_task} per task" if template.samples_per_task else "all"),
            ("next times", "\n".join(next_times(schedule, times))),
        ]
    )


def print_firings(firings: Sequence[Firing], zone: str, *, with_schedule: bool = False) -> None:
    """Print a table of firings with their times in a zone."""
    heads = ["time", *(["schedule"] if with_schedule else []), "cause", "state", "run or reason"]
    table = new_table(*heads, no_wrap=("time",))
    for firing in firings:
        cause = enum_name(FiringCause, firing.cause, "FIRING_CAUSE_")
        add_row(
            table,
            local_time(firing.time, zone),
            *([firing.schedule] if with_schedule else []),
            f"{cause} {firing.model}" if firing.model else cause,
            enum_name(FiringState, firing.state, "FIRING_STATE_"),
            firing.run or one_line(firing.reason, REASON_CHARACTERS),
        )
    print_table(table, empty="there is no firing yet")
