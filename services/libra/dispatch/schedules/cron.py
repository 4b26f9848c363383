"""Times of a cron expression in a time zone.

Over a change of daylight saving time, an expression follows Debian's cron, as the library cronsim does:

- Times at fixed hours and minutes ("30 2 * * *"): one that does not exist, because the clock skips it, is moved to the
  end of the gap; of one that happens twice, only the first counts.
- Times at every hour or every few minutes ("*/30 * * * *", "0 * * * *"), and expressions with seconds, follow the time
  that really passes: skipped ones are left out, and repeated ones count twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from libra.core.errors import Invalid, unknown

CRON_FIELD, ZONE_FIELD = "schedule.cron", "schedule.zone"
MAX_EXPRESSION_CHARACTERS = 200
FIELDS = (5, 6)
UNPORTABLE_ZONES = frozenset({"Factory", "localtime"})
"""Files among the time zones that mean another zone on each machine, or none."""

LOOK_BACK = tuple(timedelta(seconds=seconds) for seconds in (60, 3_600, 86_400, 32 * 86_400, 366 * 86_400))
"""Spans that the newest of many times is looked for in. The first with a time contains at most about 60 of them, so
that no outage is long enough to make the search slow."""


class CronTimes:
    """The times of one expression in one zone. Raises Invalid, naming the field of a schedule, if there are none."""

    def __init__(self, expression: str, zone: str) -> None:
        self._expression, self._zone = expression, find_zone(zone)
        check_form(expression)
        try:
            self.next_after(datetime.now(UTC))
        except CronSimError as error:
            raise Invalid(_explain(str(error), expression), field=CRON_FIELD) from None

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time after a moment, in UTC."""
        return next(self._after(moment))

    def list_next(self, moment: datetime, count: int) -> list[datetime]:
        """Return the next times after a moment, in UTC; fewer than `count` if there are no more within 50 years."""
        times = []
        for time in self._until_none(moment):
            times.append(time)
            if len(times) == count:
                break
        return times

    def newest_until(self, moment: datetime, first: datetime) -> datetime:
        """Return the newest time from `first`, which is one, to a moment, both included."""
        for span in LOOK_BACK:
            begin = moment - span
            if begin <= first:
                break
            if times := self._between(begin, moment):
                return times[-1]
        times = self._between(first, moment)
        return times[-1] if times else first

    def list_until(self, moment: datetime, first: datetime) -> list[datetime]:
        """Return the times from `first` to `moment`, both included."""
        return self._between(first - timedelta(seconds=1), moment)

    def _between(self, begin: datetime, end: datetime) -> list[datetime]:
        """Return the times after `begin` up to `end`."""
        times = []
        for time in self._until_none(begin):
            if time > end:
                break
            times.append(time)
        return times

    def _until_none(self, moment: datetime) -> Iterator[datetime]:
        try:
            yield from self._after(moment)
        except CronSimError:
            return

    def _after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the times after a moment, each once and in order. Raises CronSimError if there are no more."""
        last = moment
        simulation = CronSim(self._expression, moment.astimezone(self._zone))
        while True:
            local = next(simulation, None)
            if local is None:
                raise CronSimError("no time within 50 years")
            # Compared in UTC: around a change of the clock, the library repeats times or steps back.
            time = local.astimezone(UTC)
            if time > last:
                last = time
                yield time


def check_form(expression: str) -> None:
    """Raise Invalid unless the expression has five or six fields."""
    if len(expression) > MAX_EXPRESSION_CHARACTERS:
        raise Invalid(f"it has more than {MAX_EXPRESSION_CHARACTERS} characters", field=CRON_FIELD)
    if len(expression.split()) not in FIELDS:
        raise Invalid(
            f"{expression!r} must have five fields (minute, hour, day of the month, month, day of the week), or six "
            'with seconds first; "0 2 * * *" is every day at 02:00',
            field=CRON_FIELD,
        )


def find_zone(name: str) -> ZoneInfo:
    """Return a time zone, UTC for ""; raise Invalid with the nearest names."""
    if name and name not in _zone_names():
        raise Invalid(unknown("time zone", name, sorted(_zone_names())), field=ZONE_FIELD)
    return ZoneInfo(name or "UTC")


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones() - UNPORTABLE_ZONES)


def _explain(problem: str, expression: str) -> str:
    if problem.startswith(("Bad day-of-month", "no time")):
        return f"{expression!r} never matches: check its day of the month and its month ({problem})"
    return f"{expression!r} is not a cron expression ({problem})"
