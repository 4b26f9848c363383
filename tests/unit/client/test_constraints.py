"""The best model under constraints, and what the others violate."""

from __future__ import annotations

import pytest

from libra.client import Board, BoardRow, Estimate, Invalid, OutcomeCounts
from libra.client.constraints import best_model
from libra.client.results import CategoryScore, TaskScore

COUNTS = OutcomeCounts(scored=10, filtered=0, unjudged=0, failed=0)


def estimate(value: float, half_width: float = 0.05) -> Estimate:
    return Estimate(value, half_width / 2, 10, value - half_width, value + half_width)


def row(model: str, rank: int, overall: Estimate | None, safety: Estimate, attacked: Estimate) -> BoardRow:
    tasks = (
        TaskScore("privacy", "v1", "none", estimate(0.9), COUNTS, "r", None),
        TaskScore("privacy", "v1", "few_shots", attacked, COUNTS, "r", None),
    )
    category = CategoryScore("direct_risky", estimate(0.8), tasks)
    return BoardRow(rank, model, overall, safety, estimate(0.5), (category,), 1.0, COUNTS, (), rank, rank, "tasks")


BOARD = Board(
    (
        row("fast", 1, estimate(0.9), estimate(0.78), estimate(0.2)),
        row("calm", 2, estimate(0.8), estimate(0.84), estimate(0.7)),
        row("safe", 3, estimate(0.7), estimate(0.95), estimate(0.9)),
        row("half", 0, None, estimate(0.99), estimate(0.99)),
    ),
    revision=1,
    create_time=None,
    notes=(),
)


@pytest.mark.parametrize(
    ("minimum", "is_certain", "model"),
    [
        ({}, True, "fast"),
        ({"safety": 0.8}, False, "calm"),
        ({"safety": 0.8}, True, "safe"),
        ({"privacy+few_shots": 0.5}, True, "calm"),
        ({"privacy": 0.8, "direct_risky": 0.7, "capability": 0.4}, True, "fast"),
        ({"safety": 0.99}, True, None),
    ],
)
def test_the_best_model_keeps_every_minimum(minimum: dict[str, float], is_certain: bool, model: str | None) -> None:  # noqa: FBT001 - a parameter of the test
    found = best_model(BOARD, minimum, is_certain=is_certain)
    assert (found.row.model if found.row else None) == model


def test_every_violation_is_named() -> None:
    found = best_model(BOARD, {"safety": 0.9, "overall": 0.75}, is_certain=True)
    assert found.violations["fast"] == ("safety is 0.780 [0.730, 0.830], and the minimum is 0.9",)
    assert found.violations["half"][0] == "it has no Overall"
    assert found.row is None


def test_an_unknown_score_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(Invalid, match="did you mean safety"):
        best_model(BOARD, {"safty": 0.9}, is_certain=True)


@pytest.mark.parametrize("least", [-0.1, 80, float("nan")])
def test_a_minimum_outside_the_scale_is_refused(least: float) -> None:
    with pytest.raises(Invalid, match="scores are in"):
        best_model(BOARD, {"safety": least}, is_certain=True)
