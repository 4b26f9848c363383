"""Numbers in the columns of a narrow table."""

from __future__ import annotations

from libra.v1.ranking_pb2 import Estimate

LEAST_P = 0.001
WHOLE_P = 0.9995
THOUSAND, MILLION = 1_000, 1_000_000
MINUTE_SECONDS, HOUR_SECONDS = 60, 3600
TEN = 9.95
CENT = 0.01


def signed(difference: float) -> str:
    """Return a difference of two scores in points of percent: "+3.2"."""
    text = f"{difference * 100:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def signed_span(estimate: Estimate) -> str:
    """Return the 95 % interval of a difference: "-5.1 to +0.3"; "-" if it cannot be told."""
    return f"{signed(estimate.low)} to {signed(estimate.high)}" if estimate.HasField("low") else "-"


def chance(p: float | None) -> str:
    """Return a p in at most five characters: ".023", "<.001"; "-" if there is none."""
    if p is None:
        return "-"
    if p < LEAST_P:
        return "<.001"
    return "1" if p >= WHOLE_P else f"{p:.3f}"[1:]


def count(number: float) -> str:
    """Return a number in at most four characters and a unit: "812", "1.4k", "23M"."""
    if number < THOUSAND:
        return f"{number:.0f}"
    size, unit = (number / MILLION, "M") if number >= MILLION - 500 else (number / THOUSAND, "k")
    return f"{size:.1f}{unit}" if size < TEN else f"{size:.0f}{unit}"


def dollars(usd: float) -> str:
    """Return US dollars; what is less than a cent is said to be, and nothing is 0."""
    if usd == 0:
        return "0"
    return "<0.01" if usd < CENT else f"{usd:,.2f}"


def seconds(span: float) -> str:
    """Return a time span in at most five characters: "4.2s", "12m", "3.5h"."""
    for size, unit in ((HOUR_SECONDS, "h"), (MINUTE_SECONDS, "m")):
        if span >= size:
            return f"{span / size:.1f}{unit}" if span / size < TEN else f"{span / size:,.0f}{unit}"
    return f"{span:.1f}s" if span < TEN else f"{span:.0f}s"
