"""Text as a terminal may be given it."""

from __future__ import annotations

from libra.v1.run_pb2 import OutcomeCounts
from libra.v1.verdict_pb2 import Outcome

PICTURES = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {127: "\N{SYMBOL FOR DELETE}"}
PICTURES |= dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}")
"""A control character stands as its picture: a model's answer must not be able to write commands to a terminal."""

TURNS = {code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""What turns the direction of text stands as its number: a line must not read otherwise than it is."""

SHOWN_AS = PICTURES | TURNS

MINUTE_SECONDS, HOUR_SECONDS = 60, 3600
KILO = 1024


def plain(text: str) -> str:
    """Return the text without control characters and turns of its direction, save for line ends and tabs."""
    return text.replace("\r\n", "\n").translate(SHOWN_AS)


def one_line(text: str, width: int) -> str:
    """Return the text on one line, cut to the width."""
    line = " ".join(plain(text).split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def duration(seconds: float) -> str:
    """Return a time span as people say it: "8 s", "2 min 05 s", "3 h 20 min"."""
    whole = round(seconds)
    if whole < MINUTE_SECONDS:
        return f"{whole} s"
    if whole < HOUR_SECONDS:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // HOUR_SECONDS} h {whole % HOUR_SECONDS // 60:02d} min"


def size(number: int) -> str:
    """Return a number of bytes as people say it: "512 B", "48 MB"."""
    for unit in ("B", "KB", "MB"):
        if number < KILO:
            return f"{number} {unit}"
        number //= KILO
    return f"{number} GB"


def word(enumeration: type, number: int, prefix: str) -> str:
    """Return an enumeration's value as users write it: "finished" for RUN_STATE_FINISHED."""
    name: str = enumeration.Name(number)  # type: ignore[attr-defined]  # protobuf's enumerations have it
    return name.removeprefix(prefix).lower()


def outcome_word(outcome: Outcome.ValueType) -> str:
    """Return "scored", "filtered", "unjudged" or "failed"."""
    return word(Outcome, outcome, "OUTCOME_")


def outcomes(counts: OutcomeCounts) -> str:
    """Return the counts in words, those of zero left out: "290 scored, 2 failed"."""
    return ", ".join(f"{value:,} {field.name}" for field, value in counts.ListFields()) or "none yet"
