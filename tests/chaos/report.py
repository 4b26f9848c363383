"""Prints what a test did and counted, 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

WIDTH = 80


def print_table(title: str, rows: Mapping[str, object]) -> None:
    """Print the rows below their title; `pytest -s` shows them."""
    widest = max(map(len, rows))
    print_line(f"\n\n{title}")
    for name, value in rows.items():
        text = f"{value:,}" if isinstance(value, int) else str(value)
        for start, line in enumerate(textwrap.wrap(text, WIDTH - widest - 4)):
            print_line(f"  {('' if start else name).ljust(widest)}  {line}")


def print_line(line: str) -> None:
    """Print one line, cut to the width."""
    print(line[:WIDTH], flush=True)  # noqa: T201 - a report is to be read
