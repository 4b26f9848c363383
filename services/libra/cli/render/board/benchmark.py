"""Formats benchmark accuracy beside generalised accuracy (NIST AI 800-3)."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from libra.cli.render.board.board import estimate_of
from libra.cli.render.format import score_interval, score_percent
from libra.cli.render.output import add_row, new_table
from libra.core.attack_names import task_label
from libra.core.category_names import category_name
from libra.v1.ranking_pb2 import Board, BoardRow, Estimate

HEAD = (
    "The same scores with two 95 % intervals: generalised accuracy is for all samples like these, benchmark accuracy "
    "for these very samples."
)
SUMMARY = (("overall", "overall_benchmark"), ("safety", "safety_benchmark"), ("capability", "capability_benchmark"))


def accuracies_table(board: Board) -> Table:
    """Return both intervals of every score of a board: of models, of their categories and of their tasks."""
    heads = ("value", "generalised", "benchmark")
    table = new_table("model", "score", *heads, right=heads, compact=True)
    for row in board.rows:
        for index, (name, score, benchmark) in enumerate(_scores(row)):
            cells = score_percent(score), score_interval(score), score_interval(benchmark)
            add_row(table, "" if index else row.model, name, *cells)
    return table


def _scores(row: BoardRow) -> Iterator[tuple[str, Estimate | None, Estimate | None]]:
    for field, benchmark in SUMMARY:
        if estimate := estimate_of(row, field):
            yield field, estimate, estimate_of(row, benchmark)
    for category in row.categories:
        if category.HasField("score"):
            benchmark_score = category.benchmark if category.HasField("benchmark") else None
            yield category_name(category.category), category.score, benchmark_score
        for task in category.tasks:
            if task.HasField("score"):
                label = task_label(task.task, task.attack)
                yield f"  {label}", task.score, task.benchmark if task.HasField("benchmark") else None
