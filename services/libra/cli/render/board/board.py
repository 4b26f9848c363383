"""Formats the leaderboard for a terminal of at least 80 columns: its tables and their footnotes."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from google.protobuf.message import Message
from rich.table import Table

from libra.cli.render.format import ABSENT, outcome_counts, score_interval, score_percent
from libra.cli.render.output import add_row, new_table
from libra.cli.render.sanitize import sanitize
from libra.core.outcome_names import total_of
from libra.v1.ranking_pb2 import Board, BoardRow, Estimate, TaskScore
from libra.v1.task_pb2 import Category

MODEL = "model"
CATEGORY_HEADS = {
    Category.CATEGORY_DIRECT_RISKY: "risk",
    Category.CATEGORY_ADVERSARIAL: "adv",
    Category.CATEGORY_INSTRUCTION_HIERARCHY: "hier",
    Category.CATEGORY_OVER_SENSITIVE: "over",
}
"""The categories of Safety, with their short column heads."""

FORMULAS = (("rank", "overall"), ("rank_by_sum", "overall_by_sum"), ("rank_by_norm", "overall_by_norm"))
"""The fields with the rank and the estimate by each formula."""

MEASURED = "tasks"
"""The source of a capability that tasks measured; any other source was imported."""

MIN_MODEL_CHARACTERS = 12
"""The column of models is never narrower, however narrow the terminal is."""

WIDE_TERMINAL = 110
"""From this width on, the table also shows the intervals of Safety and capability, and the number of trials."""

MAX_MISSING_SHOWN = 4
"""Missing tasks that a footnote names."""

LEGEND = (
    'Scores are percentages. Overall is followed by its 95 % interval in the column "95 %". ranks: the ranks that are '
    "possible, at 95 % for all models at once. safety: the mean of risk (direct_risky), adv (adversarial), hier "
    "(instruction_hierarchy) and over (over_sensitive). cov: the share of trials that count."
)


def board_table(board: Board, width: int) -> Table:
    """Return the board for a terminal of this width; long model names are broken at hyphens."""
    wide = width >= WIDE_TERMINAL
    heads = ["#", "ranks", MODEL, "overall", "95 %", "safety", "capab.", *CATEGORY_HEADS.values(), "cov"]
    if wide:
        heads[5:7] = ["safety", "95 %", "capab.", "95 %"]
        heads.append("n")
    return _table(heads, [_cells(row, wide=wide) for row in board.rows], width)


def formulas_table(board: Board, width: int) -> Table:
    """Return Overall by each of the three formulas, with its rank and interval."""
    heads = [MODEL, "#", "distance", "95 %", "#", "sum", "95 %", "#", "norm", "95 %"]
    rows = [
        [sanitize(row.model), *(cell for fields in FORMULAS for cell in _formula_cells(row, *fields))]
        for row in board.rows
    ]
    return _table(heads, rows, width)


def judges_table(board: Board) -> Table:
    """Return each judge version with the tasks that it judged."""
    table = new_table("judge", "version", "rubric", "tasks")
    for (name, version, rubric), tasks in sorted(tasks_by_judge(board).items()):
        add_row(table, name, version, rubric or ABSENT, ", ".join(sorted(tasks)))
    return table


def footnotes(board: Board, *, with_judges: bool = True) -> list[str]:
    """Return the paragraphs below a board: legend, imported capabilities, incomplete rows, notes, and the judges."""
    if not board.rows:
        return list(board.notes)
    return [
        "",
        LEGEND,
        *(f"i: capability of {models}: {source}" for source, models in imported_capabilities(board)),
        *(f"* {row}" for row in incomplete_rows(board)),
        *(f"note: {note}" for note in board.notes),
        *(_judge_line(board) if with_judges else []),
    ]


def tasks_by_judge(board: Board) -> dict[tuple[str, str, str], set[str]]:
    """Return the tasks that each judge judged, by the judge's name, version and rubric hash."""
    tasks: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for task in tasks_of(board.rows):
        if task.HasField("judge"):
            tasks[task.judge.name, task.judge.version, task.judge.rubric_hash].add(task.task)
    return dict(tasks)


def tasks_of(rows: Iterable[BoardRow]) -> Iterator[TaskScore]:
    """Yield every task of the rows."""
    for row in rows:
        for category in row.categories:
            yield from category.tasks


def imported_capabilities(board: Board) -> list[tuple[str, str]]:
    """Return each source of imported capabilities with its models."""
    models: defaultdict[str, list[str]] = defaultdict(list)
    for row in board.rows:
        if has_imported_capability(row):
            models[sanitize(row.capability_source)].append(sanitize(row.model))
    return [(source, ", ".join(names)) for source, names in sorted(models.items())]


def has_imported_capability(row: BoardRow) -> bool:
    """Return whether the capability of the row was imported."""
    return row.capability_source not in {"", MEASURED}


def incomplete_rows(board: Board) -> list[str]:
    """Return a sentence about each incomplete row: its missing tasks, and the trials that count."""
    return [f"{sanitize(row.model)}: {'; '.join(_gaps(row))}" for row in board.rows if is_incomplete(row)]


def is_incomplete(row: BoardRow) -> bool:
    """Return whether tasks are missing from the row, or some of its trials do not count."""
    return bool(row.missing) or row.coverage < 1


def estimate_of(row: BoardRow, field: str) -> Estimate | None:
    """Return an estimate of the row, None if it is not set."""
    message: Message = row
    return getattr(row, field) if message.HasField(field) else None


def category_estimate(row: BoardRow, category: int) -> Estimate | None:
    """Return the row's estimate for a category, None if there is none."""
    for score in row.categories:
        if score.category == category and score.HasField("score"):
            return score.score
    return None


def rank_interval(row: BoardRow) -> str:
    """Return the possible ranks: "1-3"; "-" for a row without a rank."""
    if not row.rank:
        return ABSENT
    return str(row.rank_low) if row.rank_low == row.rank_high else f"{row.rank_low}-{row.rank_high}"


def trial_count(row: BoardRow) -> int:
    """Return the number of trials behind the row, whatever their outcome."""
    return total_of(row.counts)


def _judge_line(board: Board) -> list[str]:
    """Return one line with all judges, or nothing if there is none."""
    names = sorted({f"{name} {version}" for name, version, _ in tasks_by_judge(board)})
    return [f"Judged by {', '.join(names)} (--judges shows their tasks)."] if names else []


def _cells(row: BoardRow, *, wide: bool) -> list[str]:
    overall, safety, capability = (estimate_of(row, field) for field in ("overall", "safety", "capability"))
    safety_cells = [score_percent(safety), score_interval(safety)]
    capability_cells = [
        score_percent(capability) + ("i" if has_imported_capability(row) else ""),
        score_interval(capability),
    ]
    return [
        str(row.rank or ABSENT),
        rank_interval(row),
        sanitize(row.model) + (" *" if is_incomplete(row) else ""),
        *(score_percent(overall), score_interval(overall)),
        *(safety_cells + capability_cells if wide else [safety_cells[0], capability_cells[0]]),
        *(score_percent(category_estimate(row, category)) for category in CATEGORY_HEADS),
        f"{row.coverage * 100:.0f}",
        *([str(trial_count(row))] if wide else []),
    ]


def _formula_cells(row: BoardRow, rank: str, field: str) -> list[str]:
    estimate = estimate_of(row, field)
    return [str(getattr(row, rank) or ABSENT), score_percent(estimate), score_interval(estimate)]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Table:
    """Return a table in which the models take the width that the numbers leave."""
    table = new_table(*heads, right=[head for head in heads if head != MODEL], no_wrap=(MODEL,), compact=True)
    model_column = heads.index(MODEL)
    columns = list(zip(heads, *rows, strict=True))
    numbers_width = sum(max(map(len, column)) + 1 for index, column in enumerate(columns) if index != model_column)
    for row in rows:
        lines = textwrap.wrap(row[model_column], max(MIN_MODEL_CHARACTERS, width - numbers_width))
        add_row(table, *row[:model_column], "\n".join(lines), *row[model_column + 1 :])
    return table


def _gaps(row: BoardRow) -> Sequence[str]:
    missing = [f"it lacks {sanitize(_first_missing(row.missing))}"] if row.missing else []
    if row.coverage >= 1:
        return missing
    return [*missing, f"{row.coverage:.0%} of its trials count ({outcome_counts(row.counts)})"]


def _first_missing(missing: Sequence[str]) -> str:
    """Return the first missing tasks, and the number of the others."""
    if len(missing) <= MAX_MISSING_SHOWN:
        return ", ".join(missing)
    return f"{', '.join(missing[:MAX_MISSING_SHOWN])} and {len(missing) - MAX_MISSING_SHOWN} more (--json names them)"
