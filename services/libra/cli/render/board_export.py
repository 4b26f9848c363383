"""A board for other programs and pages: CSV and Markdown, which hold all there is to a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from libra.cli.render.board import (
    HEADS,
    category_of,
    estimate_of,
    gaps,
    imported,
    incomplete,
    judged,
    points,
    ranks,
    span,
    tasks_of,
    trials,
)
from libra.cli.render.sanitize import plain
from libra.contracts.categories import category_name
from libra.contracts.outcomes import OUTCOMES
from libra.v1.ranking_pb2 import Board, BoardRow, Estimate

ESTIMATES = ("overall", "safety", "capability", "overall_by_sum", "overall_by_norm")
RANKS = ("rank_low", "rank_high", "rank_by_sum", "rank_by_norm")
COUNTS = tuple(OUTCOMES)
OF_ESTIMATE = ("standard_error", "low", "high", "n")


def csv_of(board: Board) -> str:
    """Return the board as CSV: scores in [0, 1], in full; empty where there is none."""
    categories = {category_name(number): number for number in HEADS}
    heads = ["rank", "model"]
    for name in (*ESTIMATES, *categories):
        heads += [name, *(f"{name}_{part}" for part in OF_ESTIMATE)]
    heads += [*RANKS, "capability_source", "coverage", *COUNTS, "missing", "judges"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    for row in board.rows:
        found = [estimate_of(row, name) for name in ESTIMATES]
        found += [category_of(row, number) for number in categories.values()]
        numbers = [number for estimate in found for number in _exact(estimate)]
        others = [*(getattr(row, rank) or "" for rank in RANKS), row.capability_source, row.coverage]
        counts = [getattr(row.counts, name) for name in COUNTS]
        said = ["; ".join(row.missing), "; ".join(_judges(row))]
        writer.writerow([row.rank or "", row.model, *numbers, *others, *counts, *said])
    return text.getvalue()


def markdown_of(board: Board) -> str:
    """Return the board as a table of GitHub's Markdown, with its remarks."""
    names = [category_name(category).replace("_", " ") for category in HEADS]
    heads = ["#", "ranks", "model", "overall (95 %)", "safety (95 %)", "capability (95 %)", *names]
    heads += ["by sum", "#", "by norm", "#", "coverage", "n"]
    lines = [_line(heads), _line(["--:", "--:", "---", *["--:"] * (len(heads) - 3)])]
    lines += [_line(_row(row)) for row in board.rows]
    remarks = [
        *(f"capability of {_escaped(models)}: {_escaped(source)}" for source, models in imported(board)),
        *(f"\\* {_escaped(gap)}" for gap in gaps(board)),
        *(_escaped(note) for note in board.notes),
        *(
            f"judge {_escaped(_called(judge))}: {_escaped(', '.join(sorted(tasks)))}"
            for judge, tasks in sorted(judged(board).items())
        ),
    ]
    return "\n".join([*lines, *(f"\n{remark}" for remark in remarks)])


def _row(row: BoardRow) -> list[object]:
    return [
        row.rank or "-",
        ranks(row),
        _escaped(row.model) + (" \\*" if incomplete(row) else ""),
        *(_sure(estimate_of(row, field)) for field in ("overall", "safety", "capability")),
        *(points(category_of(row, category)) for category in HEADS),
        *(points(estimate_of(row, "overall_by_sum")), row.rank_by_sum or "-"),
        *(points(estimate_of(row, "overall_by_norm")), row.rank_by_norm or "-"),
        *(f"{row.coverage:.0%}", trials(row)),
    ]


def _sure(estimate: Estimate | None) -> str:
    """Return a score and its interval, both in percent: "78.8 (76.4-81.0)"."""
    return points(estimate) if span(estimate) == "-" else f"{points(estimate)} ({span(estimate)})"


def _exact(estimate: Estimate | None) -> list[object]:
    """Return a score and what there is to it, each empty if it is not there."""
    if estimate is None:
        return [""] * (1 + len(OF_ESTIMATE))
    sure = [getattr(estimate, part) if estimate.HasField(part) else "" for part in ("standard_error", "low", "high")]
    return [estimate.value, *sure, estimate.n]


def _judges(row: BoardRow) -> list[str]:
    judges = [task.judge for task in tasks_of([row]) if task.HasField("judge")]
    return sorted({_called((judge.name, judge.version, judge.rubric_hash)) for judge in judges})


def _called(judge: tuple[str, str, str]) -> str:
    name, version, rubric = judge
    return f"{name} {version}" + (f" ({rubric})" if rubric else "")


def _escaped(text: str) -> str:
    return plain(text).replace("|", "\\|")


def _line(values: Sequence[object]) -> str:
    return f"| {' | '.join(str(value) for value in values)} |"
