from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.provider.result import Fault, Kind
from libra.gateway.provider.retry import RetryPolicy, RetryState
from libra.gateway.provider.retry_after import seconds

POLICY = RetryPolicy(
    attempts=4, timeouts=2, base_seconds=1, most_seconds=5, budget_seconds=100, retry_after_most_seconds=60
)
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def waits(kind: Kind, *, draw: float = 0.5, retry_after: float | None = None, most: int = 50) -> list[float]:
    patience = RetryState(POLICY)
    found: list[float] = []
    while len(found) < most:
        wait = patience.wait_seconds(Fault("x", kind, retry_after), sum(found), draw)
        if wait is None:
            break
        found.append(wait)
    return found


def test_the_range_doubles_up_to_the_most() -> None:
    assert [POLICY.range_seconds(n) for n in (1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 5, 5, 5]


def test_a_failing_provider_is_asked_so_many_times() -> None:
    assert waits(Kind.PASSING) == [0.5, 1, 2]


def test_what_cannot_help_is_not_tried_again() -> None:
    assert waits(Kind.FINAL) == []


def test_a_timeout_has_one_more_chance() -> None:
    assert waits(Kind.TIMEOUT) == [0.5]


def test_slow_down_is_bounded_by_the_budget_alone() -> None:
    found = waits(Kind.SLOW_DOWN)
    assert len(found) > POLICY.attempts
    assert 90 < sum(found) <= POLICY.budget_seconds


def test_retry_after_is_obeyed_to_the_second() -> None:
    assert waits(Kind.PASSING, retry_after=17, draw=0.0) == [17, 17, 17]


def test_retry_after_is_capped() -> None:
    assert waits(Kind.PASSING, retry_after=10**9) == [60]
    assert POLICY.retry_after_seconds(Fault("x", Kind.PASSING, -5)) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Kind)), st.none() | st.floats(-1e9, 1e9), st.floats(0, 0.999)), max_size=300
    )
)
def test_every_patience_ends_within_the_worst(faults: list[tuple[Kind, float | None, float]]) -> None:
    patience, passed = RetryState(POLICY), 0.0
    for kind, retry_after, draw in faults:
        wait = patience.wait_seconds(Fault("x", kind, retry_after), passed, draw)
        if wait is None:
            break
        passed += wait
        if kind is Kind.TIMEOUT:
            passed += 10
    assert passed <= POLICY.worst_seconds(timeout_seconds=10)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "17"}, 17),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT", "date": "Tue, 24 Nov 2026 12:00:25 GMT"}, 5),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 -0000"}, 30),
        ({"retry-after": "Tue, 99 Nov 2026 12:00:30 GMT"}, None),
    ],
)
def test_how_long_a_provider_asks_to_be_left_alone(headers: dict[str, str], wait: float | None) -> None:
    assert seconds(headers, NOW) == wait


@given(st.integers(0, 100_000))
def test_a_date_is_read_as_it_is_written(later: int) -> None:
    assert seconds({"retry-after": format_datetime(NOW + timedelta(seconds=later), usegmt=True)}, NOW) == later


@given(st.text(max_size=40))
def test_no_text_is_a_bug(text: str) -> None:
    wait = seconds({"retry-after": text}, NOW)
    assert wait is None or wait >= 0
