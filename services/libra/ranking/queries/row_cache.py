"""Keeps the rows of a board, so that another finished run changes only the rows of its models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from libra.ranking.board.board import CategoryRow, ModelRow, TaskRow, build_row
from libra.ranking.board.board_proto import row_to_proto
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.response_notes import response_notes
from libra.ranking.board.scores import ScoreInputs
from libra.statistics.interval import of_score
from libra.statistics.score import Score
from libra.v1.ranking_pb2 import BoardRow


@dataclass(frozen=True, slots=True)
class CachedRow:
    """One row without what depends on other rows."""

    board_cells: Sequence[BoardCell]
    """The cells that it was computed from."""

    row: ModelRow
    message: BoardRow
    absent: int
    """Cells that do not have all their verdicts in the store."""

    notes: Sequence[str]
    """Sentences that a reader must know about the answers of the model."""


class RowCache:
    """The rows of one board with one set of options; calibrations, labels and imported figures must be the same."""

    def __init__(self) -> None:
        self._rows: dict[str, CachedRow] = {}

    def find_current(self, groups: Mapping[str, Sequence[BoardCell]]) -> dict[str, CachedRow]:
        """Return the rows of the models whose cells are the same as before; forget all others."""
        self._rows = {
            model: self._rows[model]
            for model, board_cells in groups.items()
            if model in self._rows and self._rows[model].board_cells == board_cells
        }
        return dict(self._rows)

    def keep(self, rows: Iterable[CachedRow]) -> None:
        """Keep rows that were computed with all their sums by sample."""
        self._rows |= {cached.row.model: cached for cached in rows}


def compute_rows(groups: Mapping[str, Sequence[BoardCell]], inputs: ScoreInputs) -> list[CachedRow]:
    """Return the row of each model. Of the influences of samples, which are large, only those of Overall stay."""
    return [_compute_row(model, board_cells, inputs) for model, board_cells in groups.items()]


def _compute_row(model: str, board_cells: Sequence[BoardCell], inputs: ScoreInputs) -> CachedRow:
    row = build_row(model, board_cells, inputs)
    absent = sum(bool(each.cell.n) and each.cell.key not in inputs.sample_sums for each in board_cells)
    overalls = row.overalls
    if overalls is not None:
        overalls = replace(overalls, sum=_without_influences(overalls.sum), norm=_without_influences(overalls.norm))
    categories = [_small_category(category) for category in row.categories]
    small = replace(
        row,
        overalls=overalls,
        safety=row.safety and _without_influences(row.safety),
        capability=row.capability and _without_influences(row.capability),
        categories=categories,
    )
    notes = response_notes(each.cell for each in board_cells)
    return CachedRow(board_cells, small, row_to_proto(small), absent, notes)


def _small_category(category: CategoryRow) -> CategoryRow:
    tasks = [_small_task(task) for task in category.tasks]
    return replace(category, mean=category.mean and _without_influences(category.mean), tasks=tasks)


def _small_task(task: TaskRow) -> TaskRow:
    return replace(
        task,
        score=task.score and _without_influences(task.score),
        corrected=task.corrected and _without_influences(task.corrected),
        labelled=task.labelled and _without_influences(task.labelled),
        benchmark=task.benchmark and _without_influences(task.benchmark),
    )


def _without_influences(score: Score) -> Score:
    return replace(score, influences={}, precomputed_interval=of_score(score))
