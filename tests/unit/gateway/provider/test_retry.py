from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.core.http.retry_after import retry_after
from libra.gateway.provider.result import FaultKind, ProviderFault
from libra.gateway.provider.retry import RetryPolicy, RetryState

POLICY = RetryPolicy(
    attempts=4, timeouts=2, base_seconds=1, max_seconds=5, budget_seconds=100, retry_after_max_seconds=60
)
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def waits(kind: FaultKind, *, draw: float = 0.5, seconds: float | None = None, count: int = 50) -> list[float]:
    state = RetryState(POLICY)
    found: list[float] = []
    while len(found) < count:
        wait = state.wait_seconds(ProviderFault("x", kind, seconds), sum(found), draw)
        if wait is None:
            break
        found.append(wait)
    return found


def test_the_range_doubles_up_to_the_maximum() -> None:
    assert [POLICY.range_seconds(n) for n in (1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 5, 5, 5]


def test_a_failing_provider_is_asked_as_often_as_the_policy_allows() -> None:
    assert waits(FaultKind.PASSING) == [0.5, 1, 2]


def test_a_final_fault_is_not_retried() -> None:
    assert waits(FaultKind.FINAL) == []


def test_a_timeout_is_retried_once() -> None:
    assert waits(FaultKind.TIMEOUT) == [0.5]


def test_slow_down_is_bounded_by_the_budget_alone() -> None:
    found = waits(FaultKind.SLOW_DOWN)
    assert len(found) > POLICY.attempts
    assert 90 < sum(found) <= POLICY.budget_seconds


def test_retry_after_is_waited_for_exactly() -> None:
    assert waits(FaultKind.PASSING, seconds=17, draw=0.0) == [17, 17, 17]


def test_retry_after_is_capped() -> None:
    assert waits(FaultKind.PASSING, seconds=10**9) == [60]
    assert POLICY.retry_after_seconds(ProviderFault("x", FaultKind.PASSING, -5)) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(list(FaultKind)), st.none() | st.floats(-1e9, 1e9), st.floats(0, 0.999)), max_size=300
    )
)
def test_retries_end_within_the_worst_case(faults: list[tuple[FaultKind, float | None, float]]) -> None:
    state, passed = RetryState(POLICY), 0.0
    for kind, seconds, draw in faults:
        wait = state.wait_seconds(ProviderFault("x", kind, seconds), passed, draw)
        if wait is None:
            break
        passed += wait
        if kind is FaultKind.TIMEOUT:
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
def test_retry_after_headers_are_parsed(headers: dict[str, str], wait: float | None) -> None:
    assert retry_after(headers, NOW) == wait


@given(st.integers(0, 100_000))
def test_a_formatted_date_is_parsed_back(later: int) -> None:
    header = format_datetime(NOW + timedelta(seconds=later), usegmt=True)
    assert retry_after({"retry-after": header}, NOW) == later


@given(st.text(max_size=40))
def test_no_header_text_raises_an_error(text: str) -> None:
    wait = retry_after({"retry-after": text}, NOW)
    assert wait is None or wait >= 0
