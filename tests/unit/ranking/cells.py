"""Builds cells for the tests of boards."""

from __future__ import annotations

from libra.ranking.board.cell_selection import BoardCell
from libra.store.sums.cells import Cell
from libra.v1.calibration_pb2 import Calibration
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion

JUDGE = ("refusal", "1", "aaaaaaaaaaaa")

CALIBRATION = Calibration(
    judge=JudgeVersion(name=JUDGE[0], version=JUDGE[1], rubric_hash=JUDGE[2]),
    labels="refusal.csv",
    true_positives=45,
    false_negatives=5,
    true_negatives=38,
    false_positives=2,
)
"""Sensitivity 0.9, specificity 0.95."""


def cell(
    model: str = "one",
    task: str = "harm@1",
    *,
    run: str = "R1",
    attack: str = "none",
    category: int = Category.CATEGORY_DIRECT_RISKY,
    judges: tuple[tuple[str, str, str], ...] = (JUDGE,),
    score: float = 0.5,
    n: int = 20,
    failed: int = 0,
) -> Cell:
    """Return a cell whose trials all have the same score."""
    return Cell(
        run=run,
        judging=0,
        model=model,
        task=task,
        attack=attack,
        category=category,
        judges=judges if n else (),
        n=n,
        sum=n * score,
        sum_squares=n * score * score,
        scored=n,
        filtered=0,
        unjudged=0,
        failed=failed,
    )


def board_cell(of: Cell, expected_trials: int | None = None) -> BoardCell:
    """Return the cell of a finished run, or of a run with more trials than verdicts."""
    return BoardCell(of, of.total if expected_trials is None else expected_trials)
