from __future__ import annotations

import pytest

from libra.gateway.limits.slow_start import PER_SECOND, REST_SECONDS, SlowStart


def begun(rise: SlowStart, number: int, start: float) -> list[float]:
    """Return when each of so many begins that stay in flight, from `start` on."""
    starts, now = [], start
    for in_flight in range(number):
        now += max(0.0, rise.wait_seconds(in_flight, now))
        starts.append(now)
    return starts


def test_from_rest_requests_begin_one_after_the_other() -> None:
    starts = begun(SlowStart(), 501, start=100.0)
    assert starts == [pytest.approx(100.0 + place / PER_SECOND) for place in range(501)]
    assert starts[500] == pytest.approx(100.25)


def test_what_is_in_flight_is_replaced_at_once() -> None:
    rise = SlowStart()
    begun(rise, 500, start=100.0)
    rise.end(101.0)
    assert rise.wait_seconds(499, 101.0) <= 0
    for in_flight in range(499, 0, -1):
        rise.end(101.0)
        assert rise.wait_seconds(in_flight - 1, 101.0) <= 0


def test_a_moment_with_nothing_in_flight_is_no_rest_and_a_second_is() -> None:
    rise = SlowStart()
    begun(rise, 500, start=100.0)
    rise.end(101.0)
    assert begun(rise, 500, start=101.0 + REST_SECONDS / 2) == [101.5] * 500
    rise.end(102.0)
    assert begun(rise, 500, start=102.0 + REST_SECONDS)[-1] == pytest.approx(103.0 + 499 / PER_SECOND)
