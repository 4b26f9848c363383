"""A board for a terminal of 80 columns: the table, what must be said under it, and two tables that are asked for."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table

from libra.cli.render.output import add, columns
from libra.cli.render.sanitize import outcomes, plain
from libra.contracts.outcomes import total_of
from libra.v1.ranking_pb2 import Board, BoardRow, Estimate, TaskScore
from libra.v1.task_pb2 import Category

HEADS = {
    Category.CATEGORY_DIRECT_RISKY: "risk",
    Category.CATEGORY_ADVERSARIAL: "adv",
    Category.CATEGORY_INSTRUCTION_HIERARCHY: "hier",
    Category.CATEGORY_OVER_SENSITIVE: "over",
}
"""The categories of Safety, in the columns of a narrow table."""

FORMULAS = (("rank", "overall"), ("rank_by_sum", "overall_by_sum"), ("rank_by_norm", "overall_by_norm"))
"""The rank and the estimate by each."""

BY_TASKS = "tasks"
"""The source of a capability that was measured."""

LEAST_NAME = 12
"""A model's name is not broken into shorter pieces, however narrow the terminal."""

WIDE = 110
"""Columns of a terminal from which on Safety and capability have their intervals too, and trials are counted."""

LINE = 79
MOST_MISSING = 4
"""Of the tasks that a row lacks, so many are named below the board."""

WHOLE = 0.9995


def table_of(board: Board, width: int) -> Table:
    """Return the board for a terminal of that width; long names are broken where they have a hyphen."""
    wide = width >= WIDE
    heads = ["#", "ranks", "model", "overall", "95 %", "safety", "capab.", *HEADS.values(), "cov"]
    if wide:
        heads[5:7] = ["safety", "95 %", "capab.", "95 %"]
        heads.append("n")
    return _table(heads, [_cells(row, wide=wide) for row in board.rows], width, whole="model")


def formulas_of(board: Board, width: int) -> Table:
    """Return Overall by each of the three formulas, with its rank and interval."""
    heads = ["model", "#", "distance", "95 %", "#", "sum", "95 %", "#", "norm", "95 %"]
    rows = [[plain(row.model), *(cell for names in FORMULAS for cell in _ranked(row, *names))] for row in board.rows]
    return _table(heads, rows, width, whole="model")


def judges_of(board: Board) -> Table:
    """Return which version of which judge judged what."""
    table = columns("judge", "version", "rubric", "tasks")
    for (name, version, rubric), labels in sorted(judged(board).items()):
        add(table, name, version, rubric or "-", ", ".join(sorted(labels)))
    return table


def remarks(board: Board, *, judges: bool = True) -> list[str]:
    """Return what must be said under a board: what the columns are, which rows are incomplete, what was left out.

    `judges` has it said who judged.
    """
    if not board.rows:
        return [plain(note) for note in board.notes]
    legend = (
        "Percent. Behind Overall, its 95 % interval; ranks: those the data do not rule out, at 95 % for all models "
    )
    legend += "at once. Safety is the mean of risk (direct_risky), adv (adversarial), hier (instruction_hierarchy) and "
    legend += "over (over_sensitive); cov is the share of trials that count."
    lines = [
        "",
        legend,
        *(f"i: capability of {models}: {source}" for source, models in imported(board)),
        *(f"* {gap}" for gap in gaps(board)),
        *(f"note: {plain(note)}" for note in board.notes),
        *(judge_line(board) if judges else []),
    ]
    return [textwrap.fill(line, LINE) for line in lines]


def judge_line(board: Board) -> list[str]:
    """Return who judged, in a line; nothing if nobody did."""
    names = sorted({f"{plain(name)} {plain(version)}" for name, version, _ in judged(board)})
    return [f"Judged by {', '.join(names)} (--judges: which of them what)."] if names else []


def judged(board: Board) -> dict[tuple[str, str, str], set[str]]:
    """Return which tasks each judge judged, by name, version and rubric hash."""
    found: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for task in tasks_of(board.rows):
        if task.HasField("judge"):
            found[task.judge.name, task.judge.version, task.judge.rubric_hash].add(task.task)
    return dict(found)


def tasks_of(rows: Iterable[BoardRow]) -> Iterator[TaskScore]:
    """Yield every task of the rows."""
    for row in rows:
        for category in row.categories:
            yield from category.tasks


def imported(board: Board) -> list[tuple[str, str]]:
    """Return each source of imported capabilities, with the models that have theirs from it."""
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for row in board.rows:
        if row.capability_source not in {"", BY_TASKS}:
            sources[plain(row.capability_source)].append(plain(row.model))
    return [(source, ", ".join(models)) for source, models in sorted(sources.items())]


def gaps(board: Board) -> list[str]:
    """Return what each incomplete row lacks, in words."""
    return [f"{plain(row.model)}: {'; '.join(_lacks(row))}" for row in board.rows if incomplete(row)]


def estimate_of(row: BoardRow, field: str) -> Estimate | None:
    """Return the row's estimate of that name, None if it has none."""
    return getattr(row, field) if row.HasField(field) else None  # type: ignore[arg-type]  # one of its fields by contract


def category_of(row: BoardRow, category: int) -> Estimate | None:
    """Return the row's estimate for a category, None if it has none."""
    for score in row.categories:
        if score.category == category and score.HasField("score"):
            return score.score
    return None


def points(estimate: Estimate | None) -> str:
    """Return a score in percent, in at most four characters."""
    return "-" if estimate is None else _percent(estimate.value)


def span(estimate: Estimate | None) -> str:
    """Return the 95 % interval in percent, in at most nine characters: "76.4-81.0"."""
    if estimate is None or not estimate.HasField("low"):
        return "-"
    return f"{_percent(estimate.low)}-{_percent(estimate.high)}"


def ranks(row: BoardRow) -> str:
    """Return the ranks that the data do not rule out: "1-3"."""
    if not row.rank:
        return "-"
    return str(row.rank_low) if row.rank_low == row.rank_high else f"{row.rank_low}-{row.rank_high}"


def trials(row: BoardRow) -> int:
    """Return how many trials the row stands on, whatever became of them."""
    return total_of(row.counts)


def incomplete(row: BoardRow) -> bool:
    """Tell whether the row is not like the others: it lacks tasks, or trials that count."""
    return bool(row.missing) or row.coverage < 1


def _cells(row: BoardRow, *, wide: bool) -> list[str]:
    """Return a row's cells, each as short as it can be."""
    overall, safety, capability = (estimate_of(row, field) for field in ("overall", "safety", "capability"))
    able = points(capability) + ("i" if row.capability_source not in {"", BY_TASKS} else "")
    return [
        str(row.rank or "-"),
        ranks(row),
        plain(row.model) + (" *" if incomplete(row) else ""),
        *(points(overall), span(overall)),
        *((points(safety), span(safety), able, span(capability)) if wide else (points(safety), able)),
        *(points(category_of(row, category)) for category in HEADS),
        f"{row.coverage * 100:.0f}",
        *([str(trials(row))] if wide else []),
    ]


def _ranked(row: BoardRow, rank: str, field: str) -> list[str]:
    estimate = estimate_of(row, field)
    return [str(getattr(row, rank) or "-"), points(estimate), span(estimate)]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, whole: str) -> Table:
    """Return a table of numbers in which the column `whole` takes what width the others leave."""
    table = columns(*heads, right=[head for head in heads if head != whole], whole=(whole,))
    table.padding = (0, 0, 0, 0)  # what stands between two columns is the space of the box
    place = heads.index(whole)
    others = sum(max(map(len, column)) + 1 for n, column in enumerate(zip(heads, *rows, strict=True)) if n != place)
    for row in rows:
        name = "\n".join(textwrap.wrap(row[place], max(LEAST_NAME, width - others)))
        add(table, *row[:place], name, *row[place + 1 :])
    return table


def _lacks(row: BoardRow) -> Sequence[str]:
    found = [f"it lacks {plain(_named(row.missing))}"] if row.missing else []
    return [*found, f"{row.coverage:.0%} of its trials count ({outcomes(row.counts)})"] if row.coverage < 1 else found


def _named(missing: Sequence[str]) -> str:
    """Return what is missing; of a long list its beginning, and how many more there are."""
    if len(missing) <= MOST_MISSING:
        return ", ".join(missing)
    return f"{', '.join(missing[:MOST_MISSING])} and {len(missing) - MOST_MISSING} more (--json names them)"


def _percent(share: float) -> str:
    return "100" if share >= WHOLE else f"{share * 100:.1f}"
