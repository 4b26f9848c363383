"""The fault of a used-up quota: money, or tokens and requests of a day or a month."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from libra.gateway.provider.result import BlockCause, FaultKind, ProviderFault

NAMED_TIME = re.compile(r"\b(\d{4}-\d\d-\d\d)(?: at |T| )(\d\d:\d\d)(?::\d\d)?(?:\.\d+)? ?(?:UTC\b|Z\b)")
PACIFIC = "America/Los_Angeles"
LATEST_PACIFIC = timezone(timedelta(hours=-8))


def quota_fault(status: int, message: str, now: datetime, until: datetime | None = None) -> ProviderFault:
    """Return the fault. `until`: when the quota is renewed; None reads it from the message, if that names a time."""
    until = until or named_time(message)
    if until is None or until <= now:
        reason = f"the account at the provider has no quota left ({status}): {message}; top it up, or raise the quota"
        return ProviderFault(reason, FaultKind.FINAL, block=BlockCause.QUOTA)
    named = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    reason = f"the account at the provider has no quota left until {named} ({status}): {message}; raise the quota"
    return ProviderFault(reason, FaultKind.FINAL, (until - now).total_seconds(), block=BlockCause.QUOTA)


def named_time(message: str) -> datetime | None:
    """Return the time in UTC that a message names; None if it names none."""
    found = NAMED_TIME.search(message)
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00") if found else None
    except ValueError:
        return None


def next_pacific_midnight(now: datetime) -> datetime:
    """Return the next midnight in California, when Google renews the quotas of a day."""
    local = now.astimezone(_pacific())
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _pacific() -> tzinfo:
    try:
        return ZoneInfo(PACIFIC)
    except ZoneInfoNotFoundError:  # a slim image without time zones: an hour late in summer
        return LATEST_PACIFIC
