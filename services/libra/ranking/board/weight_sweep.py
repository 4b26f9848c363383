"""How the ranking depends on the weight between safety and capability."""

from __future__ import annotations

from collections.abc import Sequence

from libra.statistics import weight_sweep
from libra.v1.ranking_pb2 import Board, Crossing, GetWeightsResponse, WeightRange


def weighed(board: Board, asked: Sequence[str] = ()) -> GetWeightsResponse:
    """Return the rankings of a board's models at every weight, and where two change places; `asked` are left out if not there.

    The board's own Overall is that of the weight 1/2. Which models stand there changes nobody's score at any weight, and adds
    or takes away no crossing of two others.
    """
    points = [
        (row.model, row.capability.value, row.safety.value)
        for row in board.rows
        if row.HasField("capability") and row.HasField("safety")
    ]
    left_out = sorted({*asked, *(row.model for row in board.rows)} - {model for model, _, _ in points})
    if not points:
        return GetWeightsResponse(left_out=left_out, notes=board.notes)
    ranges, crossings = weight_sweep.ranges(points)
    return GetWeightsResponse(
        ranges=[WeightRange(low=each.low, high=each.high, models=each.models) for each in ranges],
        crossings=[Crossing(weight=each.weight, above=each.above, below=each.below) for each in crossings],
        left_out=left_out,
        notes=board.notes,
    )
