"""Converts rows and the weight sweep of a board to protobuf messages."""

from __future__ import annotations

from collections.abc import Sequence

from libra.core.outcome_names import OUTCOMES
from libra.core.response_names import COUNTED_RESPONSES, sum_responses
from libra.ranking.board.board import CategoryRow, ModelRow, TaskRow
from libra.statistics import interval, weight_sweep
from libra.statistics.influence import limited
from libra.statistics.score import Score
from libra.store.sums.cells import Cell
from libra.v1.ranking_pb2 import (
    Board,
    BoardRow,
    CategoryScore,
    Crossing,
    Estimate,
    GetWeightsResponse,
    LabelScore,
    TaskScore,
    WeightRange,
)
from libra.v1.run_pb2 import OutcomeCounts, ResponseCounts
from libra.v1.task_pb2 import Category

MAX_PLACES = 50
"""Places of a ranking by weight: two hundred models change places at ten thousand weights, and all of them at each
would be more than a reply may have."""

RESPONSE_COUNTS = tuple(COUNTED_RESPONSES.values())


def row_to_proto(row: ModelRow) -> BoardRow:
    """Return the message of a row."""
    overalls = row.overalls
    message = BoardRow(
        model=row.model,
        overall=estimate_to_proto(row.overall),
        safety=estimate_to_proto(row.safety),
        capability=estimate_to_proto(row.capability),
        capability_source=row.capability_source,
        categories=[_category_to_proto(category) for category in row.categories],
        coverage=row.coverage,
        counts=_sum_counts(row.cells),
        responses=sum_responses(row.cells),
        overall_by_sum=estimate_to_proto(overalls.sum if overalls else None),
        overall_by_norm=estimate_to_proto(overalls.norm if overalls else None),
        overall_benchmark=estimate_to_proto(row.benchmark.overall),
        safety_benchmark=estimate_to_proto(row.benchmark.safety),
        capability_benchmark=estimate_to_proto(row.benchmark.capability),
    )
    set_ranks(message, row)
    return message


def set_ranks(message: BoardRow, row: ModelRow) -> None:
    """Set what depends on other rows: the ranks, and the scores that this row lacks."""
    ranks = row.ranks
    message.rank, message.rank_low, message.rank_high = ranks.rank, ranks.low, ranks.high
    message.rank_by_sum, message.rank_by_norm = ranks.by_sum, ranks.by_norm
    message.missing[:] = row.missing


def estimate_to_proto(score: Score | None) -> Estimate | None:
    """Return a score with its standard error and 95 % interval, as far as they are known."""
    if score is None:
        return None
    estimate = Estimate(value=score.value, standard_error=score.standard_error, n=score.n)
    if ends := interval.of_score(score):
        estimate.low, estimate.high = ends.low, ends.high
    return estimate


def sweep_weights(board: Board, requested_models: Sequence[str] = ()) -> GetWeightsResponse:
    """Return the ranking of a board's models at every weight between safety and capability, and its changes.

    The board's own Overall has the weight 1/2. Another model on the board changes no score at any weight, and neither
    adds nor removes a crossing of two others. `left_out` names the
    models of the request and of the board that have no Overall.
    """
    points = [
        (row.model, row.capability.value, row.safety.value)
        for row in board.rows
        if row.HasField("capability") and row.HasField("safety")
    ]
    left_out = sorted({*requested_models, *(row.model for row in board.rows)} - {model for model, _, _ in points})
    if not points:
        return GetWeightsResponse(left_out=left_out, notes=board.notes)
    ranges, crossings = weight_sweep.ranges(points, MAX_PLACES)
    notes = list(board.notes)
    if len(points) > MAX_PLACES:
        notes.append(f"of {len(points)} models, each ranking has the first {MAX_PLACES}; name the models to see others")
    return GetWeightsResponse(
        ranges=[WeightRange(low=each.low, high=each.high, models=each.models) for each in ranges],
        crossings=[Crossing(weight=each.weight, above=each.above, below=each.below) for each in crossings],
        left_out=left_out,
        notes=notes,
    )


def _category_to_proto(row: CategoryRow) -> CategoryScore:
    return CategoryScore(
        category=Category.ValueType(row.category),
        score=estimate_to_proto(row.score),
        tasks=[_task_to_proto(task) for task in row.tasks],
        benchmark=estimate_to_proto(row.benchmark),
    )


def _task_to_proto(row: TaskRow) -> TaskScore:
    cell = row.board_cell.cell
    return TaskScore(
        task=row.board_cell.task_name,
        version=row.board_cell.task_version,
        attack=cell.attack,
        score=estimate_to_proto(row.score),
        corrected=estimate_to_proto(row.corrected and limited(row.corrected)),
        counts=OutcomeCounts(**{name: getattr(cell, name) for name in OUTCOMES}),
        responses=ResponseCounts(**{name: getattr(cell, name) for name in RESPONSE_COUNTS}),
        judge=cell.judge,
        run=cell.run,
        gold_labels=_label_scores(cell),
        labelled=estimate_to_proto(row.labelled and limited(row.labelled)),
        labels=row.labels,
        benchmark=estimate_to_proto(row.benchmark),
    )


def _label_scores(cell: Cell) -> list[LabelScore]:
    """Return the mean of each gold label; nothing if the score is not balanced over them."""
    labels = cell.labels if cell.is_balanced else {}
    return [LabelScore(label=label, value=sums.sum / sums.n, n=sums.n) for label, sums in labels.items()]


def _sum_counts(cells: Sequence[Cell]) -> OutcomeCounts:
    return OutcomeCounts(**{name: sum(getattr(cell, name) for cell in cells) for name in OUTCOMES})
