"""How sure the published scores are, which the published table does not say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.data_files import PUBLISHED_SCORES

from libra.ranking.board.board import Row, rows
from libra.ranking.board.cell_selection import Entry
from libra.ranking.board.scores import Basis
from libra.v1.ranking_pb2 import Capability
from libra.v1.task_pb2 import Category

from .cells import cell, entry

SAMPLES = 20
"""Of each task, as in the published figures."""


@pytest.fixture(scope="module")
def placed() -> list[Row]:
    """The 29 models, alike in capability, each sample right or wrong as near to the published scores as 20 samples go."""
    data = json.loads(PUBLISHED_SCORES.read_text())
    entries: list[Entry] = []
    for model, scores in data["scores"].items():
        for task, score in scores.items():
            category = Category.Value(f"CATEGORY_{data['categories'][task].upper()}")
            if score is not None:
                right = round(score * SAMPLES)
                made = cell(model, f"{task}@1", category=category, n=SAMPLES)
                entries.append(entry(replace(made, sum=right, sum_squares=right)))
    alike = {model: Capability(model=model, value=0.8, standard_error=0.0) for model in data["scores"]}
    return rows(entries, Basis(capabilities=alike))


def test_safety_of_the_first_is_known_to_less_than_two_points(placed: list[Row]) -> None:
    errors = [row.safety.standard_error for row in placed[:5] if row.safety]
    assert all(error and 0.017 <= error <= 0.0195 for error in errors)


def test_the_first_three_cannot_be_told_apart(placed: list[Row]) -> None:
    assert [row.model for row in placed[:3]] == [
        "gpt-4o-2024-08-06",
        "gpt-4-1106-preview",
        "claude-3-5-haiku-20241022",
    ]
    assert all(row.standing.low == 1 and row.standing.high >= 3 for row in placed[:3])
    assert placed[-1].standing.low > 3
