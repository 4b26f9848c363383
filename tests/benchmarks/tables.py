"""Tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def print_line(text: str = "") -> None:
    print(text, flush=True)  # noqa: T201 - the output of the benchmark


def print_table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print the rows below their head; the first column is left-aligned, the others right-aligned."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    print_line(f"\n{title}")
    for line in lines:
        cells = [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        print_line("  " + "  ".join(cells).rstrip())


def print_target(text: str, *, met: bool) -> None:
    """Print a target and whether it was met."""
    print_line(f"  {text}: {'met' if met else 'NOT MET'}")
