"""The rows of the board's table, sorted, with everything that a row shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from libra.cli.render.board.board import has_imported_capability, is_incomplete
from libra.core.errors import Invalid, unknown
from libra.core.outcome_names import total_of
from libra.v1.ranking_pb2 import BoardRow, Estimate
from libra.web.charts import interval_bar
from libra.web.pages.board.columns import Column, IndexedRow
from libra.web.pages.board.view import BoardView

RANK, MODEL, COVERAGE, TRIALS = "rank", "model", "coverage", "trials"


@dataclass(frozen=True, slots=True)
class Cell:
    """A score in the table."""

    estimate: Estimate | None
    bar: Markup
    is_rating: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """A model in the table."""

    row: BoardRow
    is_reference: bool
    is_incomplete: bool
    has_imported_capability: bool
    trials: int
    main: Sequence[Cell]
    detail: Sequence[Cell]


def table_rows(
    rows: Sequence[BoardRow],
    main: Sequence[Column],
    detail: Sequence[Column],
    view: BoardView,
    references: Collection[str],
) -> list[TableRow]:
    """Return the rows in the order of the view. Raises Invalid for an unknown sort key."""
    shown = [IndexedRow.of(row) for row in rows if not (view.hides_references and row.model in references)]
    return [
        TableRow(
            each.row,
            is_reference=each.row.model in references,
            is_incomplete=is_incomplete(each.row),
            has_imported_capability=has_imported_capability(each.row),
            trials=total_of(each.row.counts),
            main=[_cell(column.estimate(each)) for column in main],
            detail=[Cell(column.estimate(each), Markup(""), column.is_rating) for column in detail],
        )
        for each in sort_rows(shown, [*main, *detail], view)
    ]


def sort_rows(rows: Sequence[IndexedRow], columns: Sequence[Column], view: BoardView) -> list[IndexedRow]:
    """Return the rows by the key of the view; rows without a value come last in either order."""
    key = view.sort or RANK
    keys: dict[str, Callable[[IndexedRow], Any]] = {
        RANK: lambda each: -each.row.rank if each.row.rank else None,
        MODEL: lambda each: each.row.model,
        COVERAGE: lambda each: each.row.coverage,
        TRIALS: lambda each: total_of(each.row.counts),
        **{column.key: _value(column) for column in columns},
    }
    if key not in keys:
        raise Invalid(unknown("sort key", key, list(keys)), field="sort")
    find = keys[key]
    without_value = [each for each in rows if find(each) is None]
    with_value = sorted((each for each in rows if find(each) is not None), key=lambda each: each.row.model)
    return sorted(with_value, key=find, reverse=view.is_descending) + without_value


def _value(column: Column) -> Callable[[IndexedRow], float | None]:
    def value(each: IndexedRow) -> float | None:
        estimate = column.estimate(each)
        return None if estimate is None else estimate.value

    return value


def _cell(estimate: Estimate | None) -> Cell:
    """Return a cell with the bar of its interval."""
    if estimate is None:
        return Cell(estimate, Markup(""))
    low, high = (estimate.low, estimate.high) if estimate.HasField("low") else (None, None)
    return Cell(estimate, interval_bar.draw(estimate.value, low, high))
