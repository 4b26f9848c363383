"""Checks the standard errors and rank intervals of the published scores, which the published table does not give."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.data_files import PUBLISHED_SCORES

from libra.ranking.board.board import ModelRow, build_rows
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.scores import ScoreInputs
from libra.v1.ranking_pb2 import Capability
from libra.v1.task_pb2 import Category

from .cells import board_cell, cell

SAMPLES = 20
"""Of each task, as in the published figures."""


@pytest.fixture(scope="module")
def rows() -> list[ModelRow]:
    """Return the 29 models with the same capability and the published scores, rounded to 20 samples right or wrong."""
    data = json.loads(PUBLISHED_SCORES.read_text())
    board_cells: list[BoardCell] = []
    for model, scores in data["scores"].items():
        for task, score in scores.items():
            category = Category.Value(f"CATEGORY_{data['categories'][task].upper()}")
            if score is not None:
                right = round(score * SAMPLES)
                made = cell(model, f"{task}@1", category=category, n=SAMPLES)
                board_cells.append(board_cell(replace(made, sum=right, sum_squares=right)))
    same_capability = {model: Capability(model=model, value=0.8, standard_error=0.0) for model in data["scores"]}
    return build_rows(board_cells, ScoreInputs(capabilities=same_capability))


def test_the_standard_error_of_the_first_safety_scores_is_below_two_points(rows: list[ModelRow]) -> None:
    errors = [row.safety.standard_error for row in rows[:5] if row.safety]
    assert all(error and 0.017 <= error <= 0.0195 for error in errors)


def test_the_ranks_of_the_first_three_overlap(rows: list[ModelRow]) -> None:
    assert [row.model for row in rows[:3]] == [
        "gpt-4o-2024-08-06",
        "gpt-4-1106-preview",
        "claude-3-5-haiku-20241022",
    ]
    assert all(row.ranks.low == 1 and row.ranks.high >= 3 for row in rows[:3])
    assert rows[-1].ranks.low > 3
