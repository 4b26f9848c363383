"""Reads waits that providers name elsewhere than in Retry-After: reset headers, and details or words of an error."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from libra.gateway.provider.response.quoted_json import objects_and_texts

LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")
DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
DURATION_UNITS = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)
_UNIT = r"(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)(?![a-z])"
TOLD_DURATION = re.compile(rf"(\d+(?:\.\d+)?)\ ?{_UNIT}", re.IGNORECASE)
TRY_AGAIN = re.compile(
    rf"""(?:try\ again|retry|wait|available)\b .{{0,20}}? \b((?:\d+(?:\.\d+)?\ ?{_UNIT}(?:,\ |\ and\ |\ )?)+)""",
    re.IGNORECASE | re.VERBOSE,
)
MAX_RELATIVE_SECONDS = 10**8
"""A larger number is a time since 1970, in seconds, or in milliseconds from 10**11 on."""

MILLISECONDS_FROM = 10**11
DELAY_KEYS = frozenset({"retryDelay", "retry_delay", "retry_after", "retry_after_seconds"})


def named_wait(headers: Mapping[str, str], document: object, now: datetime) -> float | None:
    """Return the wait in seconds that headers or the error name, at least 0; None if they name none."""
    wait = _reset_wait(headers, now)
    return _wait_in_error(document, now) if wait is None else wait


def seconds_of(text: str, now: datetime) -> float | None:
    """Return the seconds that a reset header names: a number, a duration, a time since 1970 or a date (RFC 3339)."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        return _relative(number, now) if math.isfinite(number) else None
    found = DURATION.fullmatch(text)
    if found and text:
        return sum(float(part) * unit for part, unit in zip(found.groups(), DURATION_UNITS, strict=True) if part)
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        return None
    return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())


def _relative(number: float, now: datetime) -> float:
    if number >= MILLISECONDS_FROM:
        number /= 1000
    return max(0.0, number - now.timestamp() if number >= MAX_RELATIVE_SECONDS else number)


def _reset_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the longest wait until a used-up limit is reset. A limit that has something left is no reason to wait."""
    waits: list[float] = []
    for reset, remaining in _reset_headers(headers):
        wait = seconds_of(reset, now)
        if wait is not None and remaining.strip() in ("", "0", "0.0"):
            waits.append(wait)
    return max(waits, default=None)


def _reset_headers(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the reset and the remaining number of each limit that the headers name."""
    pairs = [("x-ratelimit-reset", "x-ratelimit-remaining"), ("ratelimit-reset", "ratelimit-remaining")]
    for limit in LIMITS:
        pairs.append((f"x-ratelimit-reset-{limit}", f"x-ratelimit-remaining-{limit}"))
        pairs.append((f"anthropic-ratelimit-{limit}-reset", f"anthropic-ratelimit-{limit}-remaining"))
    return [(headers[reset], headers.get(remaining, "")) for reset, remaining in pairs if headers.get(reset)]


def _wait_in_error(document: object, now: datetime) -> float | None:
    for name, found in objects_and_texts(document):
        if isinstance(found, dict):
            wait = next((wait for key in DELAY_KEYS if (wait := _delay(found.get(key))) is not None), None)
            if wait is None and name == "headers":
                wait = _wait_in_quoted_headers(found, now)
            if wait is not None:
                return wait
        elif name == "message" and (told := TRY_AGAIN.search(found)):
            parts = TOLD_DURATION.findall(told[1])
            wait = sum(float(number) * _unit_seconds(unit.lower()) for number, unit in parts)
            return wait if math.isfinite(wait) else None
    return None


def _wait_in_quoted_headers(headers: Mapping[str, object], now: datetime) -> float | None:
    """Return the wait in the provider's headers, which a proxy quotes in its error."""
    texts = {name.lower(): str(value) for name, value in headers.items()}
    wait = _reset_wait(texts, now)
    return seconds_of(texts.get("retry-after", ""), now) if wait is None else wait


def _unit_seconds(unit: str) -> float:
    is_milliseconds = unit.startswith(("ms", "milli"))
    return 0.001 if is_milliseconds else {"s": 1.0, "m": 60.0, "h": 3_600.0}[unit[0]]


def _delay(value: object) -> float | None:
    """Return a delay in seconds: a number, or protobuf's "44s"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value.removesuffix("s") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
