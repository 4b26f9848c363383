"""Reads the wait that a response asks for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the wait in seconds that response headers ask for, at least 0; None if there is no readable request.

    Reads seconds and HTTP dates (RFC 9110, section 10.2.3) and the `retry-after-ms` of some providers. A date is
    compared with the provider's own clock if the response has a Date, since ours may differ. `headers` ignore case, as
    aiohttp's do.
    """
    for name, unit_seconds in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        number = _number(headers.get(name, ""))
        if number is not None:
            return max(0.0, number * unit_seconds)
    until = _date(headers.get("retry-after", ""))
    if until is None:
        return None
    return max(0.0, (until - (_date(headers.get("date", "")) or now)).total_seconds())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(text: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # "-0000" is UTC without a place (RFC 5322, section 3.3).
    return time if time.tzinfo else time.replace(tzinfo=UTC)
