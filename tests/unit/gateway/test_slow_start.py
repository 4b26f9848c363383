from __future__ import annotations

import pytest

from libra.gateway.limits.slow_start import IDLE_SECONDS, REQUESTS_PER_SECOND, SlowStart


def starts_of(slow_start: SlowStart, number: int, start: float) -> list[float]:
    """Return when each of `number` requests begins that all stay in flight, from `start` on."""
    starts, now = [], start
    for in_flight in range(number):
        now += max(0.0, slow_start.wait_seconds(in_flight, now))
        starts.append(now)
    return starts


def test_after_an_idle_period_requests_begin_one_after_another() -> None:
    starts = starts_of(SlowStart(), 501, start=100.0)
    assert starts == [pytest.approx(100.0 + place / REQUESTS_PER_SECOND) for place in range(501)]
    assert starts[500] == pytest.approx(100.25)


def test_a_request_that_ends_is_replaced_at_once() -> None:
    slow_start = SlowStart()
    starts_of(slow_start, 500, start=100.0)
    slow_start.end(101.0)
    assert slow_start.wait_seconds(499, 101.0) <= 0
    for in_flight in range(499, 0, -1):
        slow_start.end(101.0)
        assert slow_start.wait_seconds(in_flight - 1, 101.0) <= 0


def test_a_model_is_idle_after_a_second_and_not_after_a_moment() -> None:
    slow_start = SlowStart()
    starts_of(slow_start, 500, start=100.0)
    slow_start.end(101.0)
    assert starts_of(slow_start, 500, start=101.0 + IDLE_SECONDS / 2) == [101.5] * 500
    slow_start.end(102.0)
    last = starts_of(slow_start, 500, start=102.0 + IDLE_SECONDS)[-1]
    assert last == pytest.approx(103.0 + 499 / REQUESTS_PER_SECOND)
