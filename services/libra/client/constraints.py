"""Chooses the best model that keeps minimum scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from libra.client.results import BestModel, Board, BoardRow
from libra.core.errors import Invalid, unknown


def best_model(board: Board, minimum: Mapping[str, float], *, is_certain: bool) -> BestModel:
    """Return the first row of the board that keeps every minimum, and what each other row violates.

    With `is_certain` the lower end of the 95 % interval counts. Raises Invalid for a score that no row has, and for a
    minimum outside [0, 1].
    """
    for name, least in minimum.items():
        if not 0 <= least <= 1:
            raise Invalid(f"the minimum of {name} is {least}; scores are in [0, 1]", field="minimum")
        if board.rows and all(row.score(name) is None for row in board.rows):
            raise Invalid(unknown("score", name, _score_names(board)), field="minimum")
    violations = {row.model: tuple(_violations(row, minimum, is_certain=is_certain)) for row in board.rows}
    ranked = (row for row in board.rows if row.overall is not None)
    return BestModel(next((row for row in ranked if not violations[row.model]), None), violations)


def _violations(row: BoardRow, minimum: Mapping[str, float], *, is_certain: bool) -> Iterator[str]:
    if row.overall is None:
        yield "it has no Overall"
    for name, least in minimum.items():
        score = row.score(name)
        if score is None:
            yield f"it has no score for {name}"
        elif is_certain and score.low is None:
            yield f"{name} is {score.value:.3f} without an interval"
        elif (score.low if is_certain and score.low is not None else score.value) < least:
            yield f"{name} is {score}, and the minimum is {least}"


def _score_names(board: Board) -> list[str]:
    names = {"overall", "safety", "capability"}
    for category in (category for row in board.rows for category in row.categories):
        names.add(category.category)
        names.update(task.task if task.attack == "none" else f"{task.task}+{task.attack}" for task in category.tasks)
    return sorted(names)
