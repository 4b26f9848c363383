"""A board to print."""

from __future__ import annotations

from libra.v1.ranking_pb2 import Board, BoardRow, CategoryScore, Estimate, TaskScore
from libra.v1.run_pb2 import OutcomeCounts
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion

SAFETY = (
    Category.CATEGORY_DIRECT_RISKY,
    Category.CATEGORY_ADVERSARIAL,
    Category.CATEGORY_INSTRUCTION_HIERARCHY,
    Category.CATEGORY_OVER_SENSITIVE,
)
JUDGE = JudgeVersion(name="refusal", version="2", rubric_hash="0123456789ab")


def estimate(value: float, low: float, high: float, n: int = 24) -> Estimate:
    return Estimate(value=value, standard_error=(high - low) / 4, n=n, low=low, high=high)


def row(
    rank: int, model: str, *, coverage: float = 1.0, missing: tuple[str, ...] = (), source: str = "tasks"
) -> BoardRow:
    whole = estimate(1.0, 0.862, 1.0)
    return BoardRow(
        rank=rank,
        rank_low=max(1, rank - 1),
        rank_high=rank + 1,
        model=model,
        overall=estimate(0.7878, 0.764, 0.8101, 120),
        overall_by_sum=estimate(0.85, 0.83, 0.87, 120),
        overall_by_norm=estimate(0.8515, 0.8312, 0.8699, 120),
        rank_by_sum=rank + 5,
        rank_by_norm=rank + 6,
        safety=estimate(0.9, 0.81, 0.95, 96),
        capability=whole,
        capability_source=source,
        categories=[
            CategoryScore(
                category=category, score=whole, tasks=[TaskScore(task=f"task-{category}", attack="none", judge=JUDGE)]
            )
            for category in SAFETY
        ],
        coverage=coverage,
        counts=OutcomeCounts(scored=120, failed=3),
        missing=missing,
    )


BOARD = Board(
    rows=[
        row(1, "SmolLM2-135M-Instruct"),
        row(
            2,
            "an-organisation-with-a-long-name-instruct-v2",
            coverage=0.975,
            missing=("task harm", "task fraud"),
            source="elo, 800 to 1500, from scores.csv",
        ),
        BoardRow(model="silent", coverage=0.0, counts=OutcomeCounts(failed=5)),
    ],
    notes=["reading@0123 was left out: a newer version of it is there"],
)
