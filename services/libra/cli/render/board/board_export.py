"""Exports leaderboards as CSV for programs and as Markdown for pages; both hold every column of a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from libra.cli.render.board.board import (
    CATEGORY_HEADS,
    category_estimate,
    estimate_of,
    imported_capabilities,
    incomplete_rows,
    is_incomplete,
    rank_interval,
    tasks_by_judge,
    tasks_of,
    trial_count,
)
from libra.cli.render.board.board_grouped import NO_VALUE, group_name, notes
from libra.cli.render.format import ABSENT, score_interval, score_percent
from libra.cli.render.sanitize import sanitize
from libra.core.category_names import category_name
from libra.core.outcome_names import OUTCOMES
from libra.v1.ranking_pb2 import Board, BoardRow, Estimate, GetGroupedBoardResponse

ESTIMATES = ("overall", "safety", "capability", "overall_by_sum", "overall_by_norm")
RANKS = ("rank_low", "rank_high", "rank_by_sum", "rank_by_norm")
OPTIONAL_PARTS = ("standard_error", "low", "high")
ESTIMATE_PARTS = (*OPTIONAL_PARTS, "n")


def board_csv(board: Board) -> str:
    """Return the board as CSV: scores in [0, 1] with all their digits; a cell without a value is empty."""
    categories = {category_name(category): category for category in CATEGORY_HEADS}
    heads = ["rank", "model"]
    for name in (*ESTIMATES, *categories):
        heads += [name, *(f"{name}_{part}" for part in ESTIMATE_PARTS)]
    heads += [*RANKS, "capability_source", "coverage", *OUTCOMES, "missing", "judges"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    for row in board.rows:
        estimates = [estimate_of(row, name) for name in ESTIMATES]
        estimates += [category_estimate(row, category) for category in categories.values()]
        numbers = [number for estimate in estimates for number in _exact_numbers(estimate)]
        ranks = [getattr(row, rank) or "" for rank in RANKS]
        counts = [getattr(row.counts, name) for name in OUTCOMES]
        lists = ["; ".join(row.missing), "; ".join(_judges(row))]
        writer.writerow(
            [row.rank or "", row.model, *numbers, *ranks, row.capability_source, row.coverage, *counts, *lists]
        )
    return text.getvalue()


def board_markdown(board: Board) -> str:
    """Return the board as a table in GitHub's Markdown, with its footnotes."""
    heads = _markdown_heads()
    lines = [_markdown_row(heads), _markdown_row(["--:", "--:", "---", *["--:"] * (len(heads) - 3)])]
    lines += [_markdown_row(_cells(row)) for row in board.rows]
    footnotes = [
        *(f"capability of {_escape(models)}: {_escape(source)}" for source, models in imported_capabilities(board)),
        *(f"\\* {_escape(row)}" for row in incomplete_rows(board)),
        *(_escape(note) for note in board.notes),
        *(
            f"judge {_escape(_judge_name(judge))}: {_escape(', '.join(sorted(tasks)))}"
            for judge, tasks in sorted(tasks_by_judge(board).items())
        ),
    ]
    return "\n".join([*lines, *(f"\n{footnote}" for footnote in footnotes)])


def grouped_markdown(reply: GetGroupedBoardResponse, field: str) -> str:
    """Return the boards of all groups as one table in GitHub's Markdown, with the notes below it."""
    heads = [_escape(field), *_markdown_heads()]
    lines = [_markdown_row(heads), _markdown_row(["---", "--:", "--:", "---", *["--:"] * (len(heads) - 4)])]
    for group in reply.groups:
        name = _escape(group_name(group)) or NO_VALUE
        lines += [_markdown_row([name, *_cells(row)]) for row in group.board.rows]
    return "\n".join([*lines, *(f"\n{_escape(note)}" for note in notes(reply))])


def _markdown_heads() -> list[str]:
    categories = [category_name(category).replace("_", " ") for category in CATEGORY_HEADS]
    heads = ["#", "ranks", "model", "overall (95 %)", "safety (95 %)", "capability (95 %)", *categories]
    return [*heads, "by sum", "#", "by norm", "#", "coverage", "n"]


def _cells(row: BoardRow) -> list[object]:
    return [
        row.rank or ABSENT,
        rank_interval(row),
        _escape(row.model) + (" \\*" if is_incomplete(row) else ""),
        *(_score_with_interval(estimate_of(row, field)) for field in ("overall", "safety", "capability")),
        *(score_percent(category_estimate(row, category)) for category in CATEGORY_HEADS),
        *(score_percent(estimate_of(row, "overall_by_sum")), row.rank_by_sum or ABSENT),
        *(score_percent(estimate_of(row, "overall_by_norm")), row.rank_by_norm or ABSENT),
        *(f"{row.coverage:.0%}", trial_count(row)),
    ]


def _score_with_interval(estimate: Estimate | None) -> str:
    """Return a score and its interval, both in percent: "78.8 (76.4-81.0)"."""
    score, interval = score_percent(estimate), score_interval(estimate)
    return score if interval == ABSENT else f"{score} ({interval})"


def _exact_numbers(estimate: Estimate | None) -> list[object]:
    """Return the value of an estimate and its ESTIMATE_PARTS; a number that is not set is empty."""
    if estimate is None:
        return [""] * (1 + len(ESTIMATE_PARTS))
    present = {field.name for field, _ in estimate.ListFields()}
    parts = [getattr(estimate, part) if part in present else "" for part in OPTIONAL_PARTS]
    return [estimate.value, *parts, estimate.n]


def _judges(row: BoardRow) -> list[str]:
    judges = [task.judge for task in tasks_of([row]) if task.HasField("judge")]
    return sorted({_judge_name((judge.name, judge.version, judge.rubric_hash)) for judge in judges})


def _judge_name(judge: tuple[str, str, str]) -> str:
    name, version, rubric = judge
    return f"{name} {version}" + (f" ({rubric})" if rubric else "")


def _escape(text: str) -> str:
    return sanitize(text).replace("|", "\\|")


def _markdown_row(values: Sequence[object]) -> str:
    return f"| {' | '.join(str(value) for value in values)} |"
