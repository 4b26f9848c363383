"""Store a firing for each time of a cron expression that has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from libra.dispatch.schedules.cron import CronTimes
from libra.dispatch.schedules.firing_ids import time_id
from libra.store.client import Store
from libra.store.continuous.schedules import DueSchedule, date_of
from libra.telemetry.log_actions import Action
from libra.v1.schedule_pb2 import Firing, FiringCause, FiringState, MissedPolicy, Schedule

log = structlog.get_logger(__name__)

MISSED_AFTER = timedelta(minutes=10)
"""A time that passed longer ago was missed. A restart of every dispatch takes less, and must not lose a firing."""


async def fire_due_times(store: Store) -> None:
    """Store the firings that are due, then move each schedule on to its next time.

    A crash between the two stores the firings again, under the same ids, which changes nothing. Any number of replicas
    may call it at the same time.
    """
    for due in await store.schedules.list_due():
        for firing in firings_due(due):
            await store.firings.insert(firing)
        schedule = due.record.schedule
        await store.schedules.advance(schedule, _times(schedule).next_after(due.now))


def firings_due(due: DueSchedule) -> list[Firing]:
    """Return the firings of a schedule whose next time has come.

    Each time of the last ten minutes fires. Of the older ones, the newest may catch up, unless a later time fires; one
    firing at the first of them records that they were missed.
    """
    schedule, times = due.record.schedule, _times(due.record.schedule)
    first = date_of(schedule.next_time)
    firings = [_firing(schedule, time, "") for time in times.list_until(due.now, max(first, due.now - MISSED_AFTER))]
    if not firings:
        newest = times.newest_until(due.now, first)
        is_caught_up = schedule.missed == MissedPolicy.MISSED_POLICY_CATCH_UP
        firings = [_firing(schedule, newest, "" if is_caught_up else f"it was missed: {_reason(due)}")]
    if first < (earliest := date_of(firings[0].time)):
        reason = f"it was missed, with every later time before {_text(earliest)}: {_reason(due)}"
        log.warning("firings were missed", action=Action.FIRING_SKIPPED, schedule=schedule.name, reason=reason)
        firings.insert(0, _firing(schedule, first, reason))
    return firings


def _reason(due: DueSchedule) -> str:
    return f"no dispatch was running until {_text(due.now)}"


def _times(schedule: Schedule) -> CronTimes:
    return CronTimes(schedule.cron, schedule.zone)


def _firing(schedule: Schedule, time: datetime, skip_reason: str) -> Firing:
    state = FiringState.FIRING_STATE_SKIPPED if skip_reason else FiringState.FIRING_STATE_PENDING
    firing = Firing(id=time_id(schedule, time), schedule=schedule.name, schedule_id=schedule.id, state=state)
    firing.team = schedule.team
    firing.cause, firing.reason = FiringCause.FIRING_CAUSE_TIME, skip_reason
    firing.time.FromDatetime(time)
    return firing


def _text(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
