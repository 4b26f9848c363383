"""No minute holds more requests or tokens than the limit."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.limits.sliding_window import RequestWindow, TokenWindow

GAPS = st.lists(st.floats(0, 40), min_size=1, max_size=60)


@given(st.integers(1, 9), GAPS)
def test_no_minute_holds_more_starts_than_the_limit(limit: int, gaps: list[float]) -> None:
    window, now, starts = RequestWindow(limit), 0.0, []
    for gap in gaps:
        now += gap
        now += window.wait_seconds(now)
        assert window.wait_seconds(now) < 1e-9
        window.start(now)
        starts.append(now)
    for start in starts:
        assert sum(start <= other < start + 60 for other in starts) <= limit


@given(st.integers(1, 9), st.integers(1, 9), GAPS)
def test_a_lowered_limit_holds_from_then_on(before: int, after: int, gaps: list[float]) -> None:
    window, now, starts = RequestWindow(before), 0.0, []
    for place, gap in enumerate(gaps):
        window.limit = before if place < len(gaps) // 2 else after
        now += gap
        now += max(0.0, window.wait_seconds(now))
        window.start(now)
        starts.append(now)
    late = starts[len(gaps) // 2 :]
    for start in late:
        assert sum(start - 60 < other <= start for other in starts) <= after


def test_the_wait_for_a_window_is_not_longer_than_needed() -> None:
    window = RequestWindow(2)
    window.start(0.0)
    window.start(10.0)
    assert window.wait_seconds(20.0) == 41.0
    assert window.wait_seconds(61.0) == 0.0


def test_without_a_limit_no_request_waits() -> None:
    requests, tokens = RequestWindow(0), TokenWindow(0)
    for _ in range(100):
        requests.start(0.0)
        assert tokens.start(10**9) == 0
        tokens.end(0, 10**9, 0.0)
    assert requests.wait_seconds(0.0) == 0.0
    assert tokens.wait_seconds(10**9, 0.0) == 0.0


@given(
    st.integers(10, 500),
    st.lists(st.tuples(st.integers(1, 200), st.floats(0, 1), st.floats(0, 90), st.booleans()), min_size=1, max_size=40),
)
def test_no_minute_holds_more_tokens_than_the_limit(limit: int, requests: list[tuple[int, float, float, bool]]) -> None:
    """Each request: its estimate, the part of it that is spent, its duration, and whether the next one waits for it."""
    window, now = TokenWindow(limit), 0.0
    ends: list[tuple[float, int, int]] = []  # (time, reserved, spent) of requests in flight
    done: list[tuple[float, float, int]] = []  # (start, end, spent)

    def finish(until: float) -> None:
        for end in sorted(ends):
            if end[0] <= until:
                window.end(end[1], end[2], end[0])
                ends.remove(end)

    for estimate, part, seconds, waits in requests:
        while (wait := window.wait_seconds(estimate, now)) > 1e-9:
            now = min(now + wait, min((end[0] for end in ends), default=math.inf))
            finish(now)
        spent = int(min(estimate, limit) * part)
        ends.append((now + seconds, window.start(estimate), spent))
        done.append((now, now + seconds, spent))
        if waits:
            now += seconds
            finish(now)
    for start, _, _ in done:
        window_sum = sum(spent for begun, ended, spent in done if begun <= start and ended > start - 60)
        assert window_sum <= limit


def test_a_request_larger_than_the_limit_starts_alone() -> None:
    window = TokenWindow(100)
    assert window.wait_seconds(500, 0.0) == 0.0
    reserved = window.start(500)
    assert window.wait_seconds(1, 0.0) == math.inf
    window.end(reserved, 20, 5.0)
    assert window.wait_seconds(80, 5.0) == 0.0
    assert window.wait_seconds(81, 5.0) == 61.0


def test_the_requests_of_a_minute_are_spread_over_it() -> None:
    window, now, starts = RequestWindow(610), 0.0, []
    for _ in range(2000):
        now += window.wait_seconds(now) + 0.02  # a timer that fires late
        window.start(now)
        starts.append(now)
    assert starts[-1] < 201
    for start in starts[:1300:13]:
        assert 590 <= sum(start <= other < start + 60 for other in starts) <= 610


def test_use_is_reported_by_age() -> None:
    requests, tokens = RequestWindow(100), TokenWindow(1000)
    for start in (0.0, 1.0, 7.0):
        requests.start(start)
    tokens.end(tokens.start(50), 40, 8.0)
    tokens.start(30)
    assert requests.used_by_age(10.0) == {10: 1, 9: 1, 3: 1}
    assert requests.used(10.0) == 3
    assert requests.used(61.5) == 2
    assert tokens.used_by_age(10.0) == {2: 40}
    assert tokens.used(10.0) == 70
    assert tokens.used(80.0) == 30
