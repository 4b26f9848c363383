"""Boards side by side, as text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap

from rich.table import Table

from libra.cli.render.board import estimate_of, points, ranks, span, trials
from libra.cli.render.output import add, columns
from libra.cli.render.sanitize import one_line, plain
from libra.v1.ranking_pb2 import BoardRow, GetGroupedBoardResponse

LINE = 79
WITHOUT = "(none)"
"""Stands for the value of samples that have none."""

VALUE_CHARACTERS = 24
LEGEND = "Percent, with 95 % intervals; # is the rank within the group, and the ranks its data do not rule out."


def table_of(answer: GetGroupedBoardResponse, by: str) -> Table:
    """Return a row for each value and model, the value only in the first of its rows."""
    heads = ("#", "ranks", "overall", "safety", "95 %", "capab.", "95 % ", "n")
    table = columns(one_line(by, VALUE_CHARACTERS), "model", *heads, right=heads)
    table.padding = (0, 0, 0, 0)  # what stands between two columns is the space of the box
    for group in answer.groups:
        value = one_line(group.value, VALUE_CHARACTERS) or WITHOUT
        for place, row in enumerate(group.board.rows):
            add(table, "" if place else value, row.model, *_cells(row))
    return table


def remarks(answer: GetGroupedBoardResponse) -> list[str]:
    """Return what must be known to read the table."""
    of_groups = [f"{group.value or WITHOUT}: {note}" for group in answer.groups for note in group.board.notes]
    notes = [f"note: {plain(note)}" for note in (*answer.notes, *of_groups)]
    return [textwrap.fill(line, LINE) for line in (*(["", LEGEND] if answer.groups else []), *notes)]


def _cells(row: BoardRow) -> list[str]:
    overall, safety, capability = (estimate_of(row, field) for field in ("overall", "safety", "capability"))
    return [
        str(row.rank or "-"),
        ranks(row),
        points(overall),
        *(points(safety), span(safety)),
        *(points(capability), span(capability)),
        str(trials(row)),
    ]
