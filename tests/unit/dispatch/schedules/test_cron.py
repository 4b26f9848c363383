"""The times of cron expressions: over changes of daylight saving time, after outages, and where there are none."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra.core.errors import Invalid
from libra.dispatch.schedules.cron import CRON_FIELD, ZONE_FIELD, CronTimes

SPRING, AUTUMN = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
"""The days before Europe's clocks change, at 01:00 UTC."""


def next_times(expression: str, zone: str, moment: datetime, count: int) -> list[str]:
    return [f"{each:%d %H:%M}" for each in CronTimes(expression, zone).list_next(moment, count)]


def test_a_time_that_the_clock_skips_is_moved_to_the_end_of_the_gap() -> None:
    assert next_times("30 2 * * *", "Europe/Berlin", SPRING, 3) == ["29 01:00", "30 00:30", "31 00:30"]


def test_a_time_that_happens_twice_counts_once() -> None:
    assert next_times("30 2 * * *", "Europe/Berlin", AUTUMN, 3) == ["25 00:30", "26 01:30", "27 01:30"]
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    assert next_times("30 2 * * *", "Europe/Berlin", between, 1) == ["26 01:30"]
    in_the_second_hour = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert next_times("30 2 * * *", "Europe/Berlin", in_the_second_hour, 1) == ["26 01:30"]


def test_several_times_in_the_gap_become_one() -> None:
    assert next_times("0,15,30 2,3 * * *", "Europe/Berlin", SPRING, 4) == [
        "29 01:00",
        "29 01:15",
        "29 01:30",
        "30 00:00",
    ]


def test_every_half_hour_follows_the_time_that_passes() -> None:
    before = datetime(2026, 10, 24, 23, 45, tzinfo=UTC)
    assert next_times("*/30 * * * *", "Europe/Berlin", before, 5) == [
        "25 00:00",
        "25 00:30",
        "25 01:00",
        "25 01:30",
        "25 02:00",
    ]


@pytest.mark.parametrize(
    "expression",
    ["0 0 30 2 *", "0 0 31 4,6 *", "0 0 * * MON#6", "61 * * * *", "* * *", "", "a b c d e", "0 0 */31 2 MON#5"],
)
def test_an_impossible_expression_is_refused_with_its_field(expression: str) -> None:
    with pytest.raises(Invalid) as refused:
        CronTimes(expression, "")
    assert refused.value.field == CRON_FIELD
    assert (
        "cron expression" in str(refused.value)
        or "never matches" in str(refused.value)
        or "five fields" in str(refused.value)
    )


@pytest.mark.parametrize("zone", ["Europe/Berlinn", "../etc/passwd", "localtime", "Europe", "CEST"])
def test_an_unknown_zone_is_refused_with_its_field(zone: str) -> None:
    with pytest.raises(Invalid, match="no time zone") as refused:
        CronTimes("0 2 * * *", zone)
    assert refused.value.field == ZONE_FIELD


def test_a_rare_day_is_no_impossible_one() -> None:
    assert CronTimes("0 0 29 2 *", "").next_after(SPRING) == datetime(2028, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression", ["* * * * * *", "* * * * *", "0 * * * *", "30 2 * * *", "0 0 1 * *", "0 0 29 2 *"]
)
def test_the_newest_of_the_times_of_a_long_outage_is_found_at_once(expression: str) -> None:
    times = CronTimes(expression, "Europe/Berlin")
    first = times.next_after(datetime(2016, 1, 1, tzinfo=UTC))
    moment = datetime(2026, 3, 29, 1, 30, 30, tzinfo=UTC)
    began = time.process_time()
    newest = times.newest_until(moment, first)
    assert time.process_time() - began < 1
    assert newest <= moment < times.next_after(newest)


FIELD = st.text(alphabet="0123456789*,-/#LWMONFEB ", max_size=8)


@settings(deadline=None)  # the first example reads the time zones
@given(st.lists(FIELD, min_size=5, max_size=5).map(" ".join))
def test_any_text_is_accepted_or_refused(text: str) -> None:
    try:
        times = CronTimes(text, "America/New_York")
    except Invalid:
        return
    moment = datetime(2026, 3, 7, tzinfo=UTC)
    found = times.list_next(moment, 3)
    assert found == sorted(set(found))
    assert all(each > moment for each in found)


@settings(deadline=None)  # the first example reads the time zones
@given(
    st.sampled_from(["30 2 * * *", "*/20 * * * *", "15,45 1-3 * * *", "0 0 * * *"]),
    st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Africa/Casablanca", "UTC"]),
    st.integers(0, 366 * 24 * 60),
)
def test_a_chain_of_next_times_equals_one_listing(expression: str, zone: str, minutes: int) -> None:
    """A worker asks for the next time after each time anew; it must see the same times as one long iteration."""
    times = CronTimes(expression, zone)
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    listed = times.list_next(moment, 5)
    chained = []
    for _ in listed:
        moment = times.next_after(moment)
        chained.append(moment)
    assert chained == listed
