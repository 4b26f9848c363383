"""The published task scores of the paper's leaderboard give its published Safety Scores."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from tests.data_files import PUBLISHED_SCORES
from tests.integration.support.ranking_world import batch, create_run, section, serving

from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.ranking_pb2 import BoardRow, GetBoardRequest
from libra.v1.run_pb2 import RunState
from libra.v1.task_pb2 import Category

SAMPLES = 20
"""Of each task, as in the published figures."""


@dataclass(frozen=True)
class Published:
    categories: dict[str, str]
    scores: dict[str, dict[str, float | None]]
    safety_percent: dict[str, float]


@pytest.fixture(scope="module")
def published() -> Published:
    data = json.loads(PUBLISHED_SCORES.read_text())
    return Published(data["categories"], data["scores"], data["site_safety_score_percent"])


@pytest.fixture
async def rows(store: Store, published: Published) -> dict[str, BoardRow]:
    """Return the board of all 29 models on the 57 tasks: 33,060 verdicts."""
    parts = {
        task: section(f"{task}@published", SAMPLES, category=Category.Value(f"CATEGORY_{name.upper()}"))
        for task, name in published.categories.items()
    }
    run = await create_run(store, [*parts.values()], *published.scores)
    await store.verdicts.write(
        [
            batch(run, parts[task], [score] * SAMPLES, model=model)
            for model, tasks in published.scores.items()
            for task, score in tasks.items()
        ]
    )
    await store.runs.mark_ended(run, RunState.RUN_STATE_FINISHED)
    async with serving(store) as stub:
        board = (await call(stub.GetBoard, GetBoardRequest(), 30)).board
    return {row.model: row for row in board.rows}


async def test_the_four_published_safety_scores_are_reproduced_to_a_tenth(
    published: Published, rows: dict[str, BoardRow]
) -> None:
    assert len(published.safety_percent) == 4
    assert len(rows) == len(published.scores) == 29
    for model, percent in published.safety_percent.items():
        assert round(100 * rows[model].safety.value, 1) == percent
    check_that_each_task_is_listed_and_counts_only_with_a_score(published, rows)


def check_that_each_task_is_listed_and_counts_only_with_a_score(
    published: Published, rows: dict[str, BoardRow]
) -> None:
    for model, row in rows.items():
        tasks = {task.task: task for each in row.categories for task in each.tasks}
        without = {task for task, score in published.scores[model].items() if score is None}
        assert tasks.keys() == published.categories.keys()
        assert {name for name, task in tasks.items() if not task.HasField("score")} == without
        assert (row.coverage < 1) == bool(row.missing) == bool(without)
