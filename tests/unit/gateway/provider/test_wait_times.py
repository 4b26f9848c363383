from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from libra.gateway.provider.response.wait_times import named_wait

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x-ratelimit-reset-requests": "6s"}, 6),
        ({"x-ratelimit-reset-tokens": "1m30.5s"}, 90.5),
        ({"x-ratelimit-reset-requests": "120ms"}, 0.12),
        ({"x-ratelimit-reset": "17"}, 17),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 8)}, 8),
        ({"x-ratelimit-reset": str((int(NOW.timestamp()) + 8) * 1000)}, 8),
        ({"anthropic-ratelimit-requests-reset": "2026-11-24T12:00:09Z"}, 9),
        ({"x-ratelimit-reset-requests": "6s", "x-ratelimit-remaining-requests": "3"}, None),
        ({"x-ratelimit-reset-requests": "soon"}, None),
        ({}, None),
    ],
)
def test_reset_headers_are_read(headers: dict[str, str], wait: float | None) -> None:
    assert named_wait(headers, None, NOW) == wait


@pytest.mark.parametrize(
    ("document", "wait"),
    [
        ([{"error": {"details": [{"@type": "RetryInfo", "retryDelay": "44s"}]}}], 44),
        ({"error": {"message": "Please try again in 1.5s."}}, 1.5),
        ({"error": {"message": "Please try again in 20ms"}}, 0.02),
        ({"error": {"metadata": {"retry_after": 3}}}, 3),
        ({"error": {"message": "slow down"}}, None),
        (None, None),
    ],
)
def test_waits_in_errors_are_read(document: Any, wait: float | None) -> None:
    assert named_wait({}, document, NOW) == wait
