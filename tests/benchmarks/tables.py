"""Tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def say(text: str = "") -> None:
    print(text, flush=True)  # noqa: T201 - this is what it is for


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print the rows under their head; the first column is left, the others right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    say(f"\n{title}")
    for line in lines:
        cells = [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        say("  " + "  ".join(cells).rstrip())


def verdict(*, reached: bool) -> str:
    return "reached" if reached else "NOT REACHED"
