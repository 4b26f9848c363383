"""Put a board into the contract's words."""

from __future__ import annotations

from collections.abc import Iterable

from libra.ranking import scores
from libra.ranking.board import CategoryRow, Row, TaskRow
from libra.store.cells import Cell
from libra.v1.ranking_pb2 import BoardRow, CategoryScore, Estimate, TaskScore
from libra.v1.run_pb2 import OutcomeCounts
from libra.v1.task_pb2 import Category


def present(row: Row) -> BoardRow:
    """Return a row as callers see it."""
    return BoardRow(
        rank=row.rank,
        model=row.model,
        overall=_estimate(row.overall),
        safety=_estimate(row.safety),
        capability=_estimate(row.capability),
        categories=[_category(category) for category in row.categories],
        coverage=row.coverage,
        counts=_counts(row.cells),
        missing=row.missing,
    )


def _category(row: CategoryRow) -> CategoryScore:
    return CategoryScore(
        category=Category.ValueType(row.category),
        score=_estimate(row.score),
        tasks=[_task(task) for task in row.tasks],
    )


def _task(row: TaskRow) -> TaskScore:
    cell = row.entry.cell
    return TaskScore(
        task=row.entry.name,
        version=row.entry.version,
        attack=cell.attack,
        score=_estimate(row.score),
        counts=_counts([cell]),
        judge=cell.judge,
        run=cell.run,
    )


def _counts(cells: Iterable[Cell]) -> OutcomeCounts:
    total = OutcomeCounts()
    for cell in cells:
        total.scored += cell.scored
        total.filtered += cell.filtered
        total.unjudged += cell.unjudged
        total.failed += cell.failed
    return total


def _estimate(estimate: scores.Estimate | None) -> Estimate | None:
    if estimate is None:
        return None
    return Estimate(value=estimate.value, standard_error=estimate.standard_error, n=estimate.n)
