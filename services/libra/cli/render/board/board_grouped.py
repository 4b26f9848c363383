"""Formats the leaderboards of `libra board --by`: one for each value, in one table."""

from __future__ import annotations

from rich.table import Table

from libra.cli.render.board.board import estimate_of, rank_interval, trial_count
from libra.cli.render.format import ABSENT, one_line, score_interval, score_percent
from libra.cli.render.output import add_row, new_table
from libra.v1.ranking_pb2 import BoardGroup, BoardRow, GetGroupedBoardResponse

NO_VALUE = "(none)"
"""Stands for the group of the samples without the field."""

VALUE_CHARACTERS = 24
LEGEND = "Scores are percentages with 95 % intervals. #: the rank within the group. ranks: the ranks that are possible."


def grouped_table(reply: GetGroupedBoardResponse, field: str) -> Table:
    """Return one row for each group and model; only the first row of a group shows the group's value."""
    heads = ("#", "ranks", "overall", "safety", "95 %", "capab.", "95 % ", "n")
    table = new_table(one_line(field, VALUE_CHARACTERS), "model", *heads, right=heads, compact=True)
    for group in reply.groups:
        value = one_line(group.value, VALUE_CHARACTERS) or NO_VALUE
        for index, row in enumerate(group.board.rows):
            add_row(table, "" if index else value, row.model, *_cells(row))
    return table


def group_name(group: BoardGroup) -> str:
    """Return the value of a group with its title: "vcr Violent Crimes"."""
    return f"{group.value} {group.title}".strip()


def footnotes(reply: GetGroupedBoardResponse) -> list[str]:
    """Return the paragraphs below the table: the legend, the names of the groups, and the notes."""
    titles = "; ".join(group_name(group) for group in reply.groups if group.title)
    legend = ["", LEGEND, *([titles] if titles else [])] if reply.groups else []
    return [*legend, *notes(reply)]


def notes(reply: GetGroupedBoardResponse) -> list[str]:
    """Return the notes on the groups, then those of their boards."""
    group_notes = [f"{group.value or NO_VALUE}: {note}" for group in reply.groups for note in group.board.notes]
    return [f"note: {note}" for note in (*reply.notes, *group_notes)]


def _cells(row: BoardRow) -> list[str]:
    overall, safety, capability = (estimate_of(row, field) for field in ("overall", "safety", "capability"))
    return [
        str(row.rank or ABSENT),
        rank_interval(row),
        score_percent(overall),
        *(score_percent(safety), score_interval(safety)),
        *(score_percent(capability), score_interval(capability)),
        str(trial_count(row)),
    ]
