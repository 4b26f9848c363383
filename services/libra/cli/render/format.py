"""Formats numbers, scores, times, sizes and names as short text."""

from __future__ import annotations

from typing import Any, Literal

from google.protobuf.timestamp_pb2 import Timestamp

from libra.cli.render.sanitize import sanitize
from libra.v1.ranking_pb2 import Estimate
from libra.v1.run_pb2 import OutcomeCounts

ABSENT = "-"
"""Stands for a value that is not known."""

SMALLEST_P = 0.001
ROUNDED_TO_ONE = 0.9995
"""Shares from here on would be rounded to 1."""

THOUSAND, MILLION = 1_000, 1_000_000
MINUTE_SECONDS, HOUR_SECONDS = 60, 3600
ROUNDED_TO_TEN = 9.95
"""Numbers from here on have no decimal place, to stay within two digits and a unit."""

CENT = 0.01
KIBI = 1024
PRECISIONS = {"day": "%Y-%m-%d", "minute": "%Y-%m-%d %H:%M UTC", "second": "%Y-%m-%d %H:%M:%S UTC"}


def percent(share: float) -> str:
    """Return a share of 1 in percent, in at most four characters: "78.8", "100"."""
    return "100" if share >= ROUNDED_TO_ONE else f"{share * 100:.1f}"


def score_percent(estimate: Estimate | None) -> str:
    """Return a score in percent; "-" without an estimate."""
    return ABSENT if estimate is None else percent(estimate.value)


def score_interval(estimate: Estimate | None) -> str:
    """Return the 95 % interval of a score in percent, in at most nine characters: "76.4-81.0"; "-" if not known."""
    if estimate is None or not estimate.HasField("low"):
        return ABSENT
    return f"{percent(estimate.low)}-{percent(estimate.high)}"


def signed_points(difference: float) -> str:
    """Return a difference of two scores in percentage points: "+3.2"."""
    text = f"{difference * 100:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def signed_interval(estimate: Estimate) -> str:
    """Return the 95 % interval of a difference: "-5.1 to +0.3"; "-" if not known."""
    if not estimate.HasField("low"):
        return ABSENT
    return f"{signed_points(estimate.low)} to {signed_points(estimate.high)}"


def p_value(p: float | None) -> str:
    """Return a p value in at most five characters: ".023", "<.001"; "-" if there is none."""
    if p is None:
        return ABSENT
    if p < SMALLEST_P:
        return "<.001"
    return "1" if p >= ROUNDED_TO_ONE else f"{p:.3f}"[1:]


def short_count(number: float) -> str:
    """Return a count in at most four characters: "812", "1.4k", "23M"."""
    if number < THOUSAND:
        return f"{number:.0f}"
    size, unit = (number / MILLION, "M") if number >= MILLION - 500 else (number / THOUSAND, "k")
    return f"{size:.1f}{unit}" if size < ROUNDED_TO_TEN else f"{size:.0f}{unit}"


def dollars(usd: float) -> str:
    """Return US dollars; an amount below one cent is "<0.01", no amount is "0"."""
    if usd == 0:
        return "0"
    return "<0.01" if usd < CENT else f"{usd:,.2f}"


def short_duration(seconds: float) -> str:
    """Return a duration in at most five characters: "4.2s", "12m", "3.5h"."""
    for size, unit in ((HOUR_SECONDS, "h"), (MINUTE_SECONDS, "m")):
        if seconds >= size:
            number = seconds / size
            return f"{number:.1f}{unit}" if number < ROUNDED_TO_TEN else f"{number:,.0f}{unit}"
    return f"{seconds:.1f}s" if seconds < ROUNDED_TO_TEN else f"{seconds:.0f}s"


def duration(seconds: float) -> str:
    """Return a duration for a sentence: "8 s", "2 min 05 s", "3 h 20 min"."""
    whole = round(seconds)
    if whole < MINUTE_SECONDS:
        return f"{whole} s"
    if whole < HOUR_SECONDS:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // HOUR_SECONDS} h {whole % HOUR_SECONDS // 60:02d} min"


def byte_size(number: int) -> str:
    """Return a number of bytes with a unit: "512 B", "48 MB"."""
    for unit in ("B", "KB", "MB"):
        if number < KIBI:
            return f"{number} {unit}"
        number //= KIBI
    return f"{number} GB"


def utc_time(timestamp: Timestamp, precision: Literal["day", "minute", "second"]) -> str:
    """Return a time in UTC, to the day, the minute or the second."""
    return timestamp.ToDatetime().strftime(PRECISIONS[precision])


def enum_name(enumeration: Any, number: int, prefix: str) -> str:
    """Return the name of an enumeration's value as users write it: "finished" for RUN_STATE_FINISHED."""
    name: str = enumeration.Name(number)
    return name.removeprefix(prefix).lower()


def outcome_counts(counts: OutcomeCounts) -> str:
    """Return the counts that are not zero: "290 scored, 2 failed"."""
    return ", ".join(f"{value:,} {field.name}" for field, value in counts.ListFields()) or "none yet"


def one_line(text: str, width: int) -> str:
    """Return the text on one line, cut to `width` characters and without control characters."""
    line = " ".join(sanitize(text).split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
