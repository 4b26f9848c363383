"""A heat map that is a table: every cell shows its figure, and a class gives it its colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

LEVELS = 10
"""The style sheet has a colour for each level from 0 to LEVELS."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[Item]):
    """One value of the map."""

    group: str
    row: str
    column: str
    value: float | None
    item: Item
    """Details that the template shows beside the value."""

    @property
    def class_(self) -> str:
        """The class that colours the cell."""
        return "heat none" if self.value is None else f"heat heat-{level(self.value)}"


@dataclass(frozen=True, slots=True)
class Row(Generic[Item]):
    """One row of the map; a cell without an entry is None."""

    group: str
    name: str
    cells: Sequence[Entry[Item] | None]


def level(value: float) -> int:
    """Return the level of a value in [0, 1]."""
    return min(LEVELS, max(0, round(value * LEVELS)))


def arrange(entries: Iterable[Entry[Item]], columns: Sequence[str]) -> list[Row[Item]]:
    """Return the rows in the order in which they first occur, each with one cell for every column."""
    cells = {(each.group, each.row, each.column): each for each in entries}
    rows = dict.fromkeys((group, row) for group, row, _ in cells)
    return [Row(group, row, [cells.get((group, row, column)) for column in columns]) for group, row in rows]
