"""Put a board into the contract's words."""

from __future__ import annotations

from collections.abc import Iterable

from libra.ranking.board.board import CategoryRow, Row, TaskRow
from libra.statistics import interval
from libra.statistics.score import Score
from libra.store.cells import Cell
from libra.v1.ranking_pb2 import BoardRow, CategoryScore, Estimate, TaskScore
from libra.v1.run_pb2 import OutcomeCounts
from libra.v1.task_pb2 import Category


def present(row: Row) -> BoardRow:
    """Return a row as callers see it."""
    overalls, standing = row.overalls, row.standing
    return BoardRow(
        rank=standing.rank,
        rank_low=standing.low,
        rank_high=standing.high,
        model=row.model,
        overall=estimate(row.overall),
        safety=estimate(row.safety),
        capability=estimate(row.capability),
        capability_source=row.capability_source,
        categories=[_category(category) for category in row.categories],
        coverage=row.coverage,
        counts=_counts(row.cells),
        missing=row.missing,
        overall_by_sum=estimate(overalls.sum if overalls else None),
        overall_by_norm=estimate(overalls.norm if overalls else None),
        rank_by_sum=standing.by_sum,
        rank_by_norm=standing.by_norm,
    )


def estimate(score: Score | None) -> Estimate | None:
    """Return a score with its standard error and 95 % interval, as far as these can be told."""
    if score is None:
        return None
    found = Estimate(value=score.value, standard_error=score.standard_error, n=score.n)
    if ends := interval.of_score(score):
        found.low, found.high = ends.low, ends.high
    return found


def _category(row: CategoryRow) -> CategoryScore:
    return CategoryScore(
        category=Category.ValueType(row.category),
        score=estimate(row.score),
        tasks=[_task(task) for task in row.tasks],
    )


def _task(row: TaskRow) -> TaskScore:
    cell = row.entry.cell
    return TaskScore(
        task=row.entry.name,
        version=row.entry.version,
        attack=cell.attack,
        score=estimate(row.score),
        corrected=estimate(row.corrected),
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
