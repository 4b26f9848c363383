"""What a test did and counted, at 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

WIDTH = 80


def show(title: str, rows: Mapping[str, object]) -> None:
    """Print the rows under their title; `pytest -s` lets them be seen."""
    widest = max(map(len, rows))
    say(f"\n\n{title}")
    for name, value in rows.items():
        text = f"{value:,}" if isinstance(value, int) else str(value)
        for start, line in enumerate(textwrap.wrap(text, WIDTH - widest - 4)):
            say(f"  {('' if start else name).ljust(widest)}  {line}")


def say(line: str) -> None:
    """Print one line, as much of it as there is room for."""
    print(line[:WIDTH], flush=True)  # noqa: T201 - a report is to be read
