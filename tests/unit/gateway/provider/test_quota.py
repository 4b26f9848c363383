"""A used-up quota says until when, if the provider does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.adapters import anthropic_response, gemini_response
from libra.gateway.provider.response.quota import named_time, next_pacific_midnight, quota_fault
from libra.gateway.provider.result import FaultKind, ProviderFault
from libra.v1.model_pb2 import Model

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("You will regain access on 2026-12-01 at 00:00 UTC.", 36 * 3600),
        ("Your quota is renewed at 2026-11-29T18:30:00Z.", 6.5 * 3600),
        ("You had access until 2026-11-01 at 00:00 UTC.", None),
        ("You will regain access on 2026-13-41 at 00:00 UTC.", None),
        ("Top it up.", None),
    ],
)
def test_the_time_in_a_message_is_read(message: str, seconds: float | None) -> None:
    fault = quota_fault(429, message, NOW)
    assert (fault.kind, fault.retry_after_seconds) == (FaultKind.FINAL, seconds)
    assert ("UTC (429)" in fault.reason) == (seconds is not None)


@given(st.text())
def test_any_message_is_read(message: str) -> None:
    assert named_time(message) is None or isinstance(named_time(message), datetime)


@given(hours=st.integers(0, 140_000), minutes=st.integers(0, 59))
def test_a_day_of_google_ends_within_25_hours_at_midnight_in_california(hours: int, minutes: int) -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours, minutes=minutes)
    midnight = next_pacific_midnight(now)
    assert timedelta(0) < midnight.astimezone(UTC) - now <= timedelta(hours=25)
    assert midnight.astimezone(UTC).hour in (7, 8)


def read_gemini(*violations: dict[str, str]) -> ProviderFault:
    details = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": list(violations)},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "19s"},
    ]
    error = {"error": {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED", "details": details}}
    result = gemini_response.read(HttpResponse(429, {}, json.dumps([error]).encode()), Model(name="m"), "")
    assert isinstance(result, ProviderFault)
    return result


def test_geminis_quota_of_a_day_is_used_up_until_midnight_in_california() -> None:
    of_minute, of_day = {"quotaId": "GenerateRequestsPerMinute"}, {"quotaId": "GenerateRequestsPerDayPerProject"}
    assert (read_gemini(of_minute).kind, read_gemini(of_minute).retry_after_seconds) == (FaultKind.SLOW_DOWN, 19)
    fault = read_gemini(of_minute, of_day)
    expected = (next_pacific_midnight(datetime.now(UTC)) - datetime.now(UTC)).total_seconds()
    assert fault.kind == FaultKind.FINAL
    assert fault.retry_after_seconds == pytest.approx(expected, abs=10)
    assert "no quota left until" in fault.reason


def test_anthropics_limit_of_a_month_names_its_end() -> None:
    until = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d at %H:%M UTC")
    message = f"You have reached your specified API usage limits. You will regain access on {until}."
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    result = anthropic_response.read(HttpResponse(400, {}, json.dumps(body).encode()), Model(name="m"), "")
    assert isinstance(result, ProviderFault)
    assert result.retry_after_seconds == pytest.approx(3 * 86_400, abs=70)
