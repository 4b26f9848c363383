"""A board as text: a table for a terminal of 80 columns, Markdown, CSV."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Sequence

from rich.table import Table

from libra.cli.output import add, columns
from libra.cli.text import outcomes, plain, word
from libra.v1.ranking_pb2 import Board, BoardRow, Estimate
from libra.v1.task_pb2 import Category

HEADS = {
    Category.CATEGORY_DIRECT_RISKY: "risk",
    Category.CATEGORY_ADVERSARIAL: "adv",
    Category.CATEGORY_INSTRUCTION_HIERARCHY: "hier",
    Category.CATEGORY_OVER_SENSITIVE: "over",
}
"""The categories of Safety, in the columns of a narrow table."""

LEAST_NAME = 12
"""A model's name is not broken into shorter pieces, however narrow the terminal."""

WHOLE = 0.9995
TEN_POINTS = 0.0995


def table_of(board: Board, width: int) -> Table:
    """Return the board for a terminal of that width; long names are broken where they have a hyphen."""
    heads = ["#", "model", "overall", "safety", "capab.", *HEADS.values(), "cov", "n"]
    rows = [cells_of(row) for row in board.rows]
    table = columns(*heads, right=[head for head in heads if head != "model"], whole=("model",))
    table.padding = (0, 0, 0, 0)  # what stands between two columns is the space of the box
    others = sum(max(map(len, column)) + 1 for column in zip(heads, *rows, strict=True) if column[0] != "model")
    for rank, name, *numbers in rows:
        add(table, rank, "\n".join(textwrap.wrap(name, max(LEAST_NAME, width - others))), *numbers)
    return table


def cells_of(row: BoardRow) -> list[str]:
    """Return a row's cells, each as short as it can be."""
    return [
        str(row.rank or "-"),
        plain(row.model) + (" *" if incomplete(row) else ""),
        *(sure(estimate_of(row, field)) for field in ("overall", "safety", "capability")),
        *(points(category_of(row, category)) for category in HEADS),
        f"{row.coverage * 100:.0f}",
        str(trials(row)),
    ]


def remarks(board: Board) -> list[str]:
    """Return what must be said under a board: what the columns are, which rows are incomplete, what was left out."""
    if not board.rows:
        return [plain(note) for note in board.notes]
    legend = "Percent, ± one standard error. Safety is the mean of risk (direct_risky), adv (adversarial), "
    legend += "hier (instruction_hierarchy) and over (over_sensitive); cov is the share of trials that count."
    gaps = [f"* {plain(row.model)}: {'; '.join(lacks(row))}" for row in board.rows if incomplete(row)]
    return [textwrap.fill(line, 79) for line in ("", legend, *gaps, *(f"note: {plain(note)}" for note in board.notes))]


def markdown_of(board: Board) -> str:
    """Return the board as a table of GitHub's Markdown, with its remarks."""
    names = [word(Category, category, "CATEGORY_").replace("_", " ") for category in HEADS]
    heads = ["#", "model", "overall", "safety", "capability", *names, "coverage", "n"]
    lines = [cells(heads), cells(["--:", "---", *["--:"] * (len(heads) - 2)])]
    for row in board.rows:
        estimates = [sure(estimate_of(row, field), " ± ") for field in ("overall", "safety", "capability")]
        categories = [points(category_of(row, category)) for category in HEADS]
        name = plain(row.model).replace("|", "\\|") + (" \\*" if incomplete(row) else "")
        lines.append(cells([row.rank or "-", name, *estimates, *categories, f"{row.coverage:.0%}", trials(row)]))
    gaps = [f"\\* {plain(row.model)}: {'; '.join(lacks(row))}" for row in board.rows if incomplete(row)]
    return "\n".join([*lines, *(f"\n{line}" for line in (*gaps, *(plain(note) for note in board.notes)))])


def csv_of(board: Board) -> str:
    """Return the board as CSV: scores in [0, 1], in full; empty where there is none."""
    estimates = ("overall", "safety", "capability")
    categories = {word(Category, number, "CATEGORY_"): number for number in HEADS}
    heads = ["rank", "model"]
    for name in (*estimates, *categories):
        heads += [name, f"{name}_standard_error", f"{name}_n"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*heads, "coverage", "scored", "filtered", "unjudged", "failed", "missing"])
    for row in board.rows:
        found = [estimate_of(row, name) for name in estimates]
        found += [category_of(row, number) for number in categories.values()]
        numbers = [number for estimate in found for number in exact(estimate)]
        counts = [row.counts.scored, row.counts.filtered, row.counts.unjudged, row.counts.failed]
        writer.writerow([row.rank or "", row.model, *numbers, row.coverage, *counts, "; ".join(row.missing)])
    return text.getvalue()


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
    if estimate is None:
        return "-"
    return "100" if estimate.value >= WHOLE else f"{estimate.value * 100:.1f}"


def sure(estimate: Estimate | None, sign: str = "±") -> str:
    """Return a score in percent and its standard error, if that can be told."""
    if estimate is None or not estimate.HasField("standard_error"):
        return points(estimate)
    error = estimate.standard_error * 100
    return (
        f"{points(estimate)}{sign}{error:.0f}" if error >= TEN_POINTS * 100 else f"{points(estimate)}{sign}{error:.1f}"
    )


def exact(estimate: Estimate | None) -> tuple[object, object, object]:
    """Return a score, its standard error and its n, each empty if it is not there."""
    if estimate is None:
        return "", "", ""
    return estimate.value, estimate.standard_error if estimate.HasField("standard_error") else "", estimate.n


def trials(row: BoardRow) -> int:
    """Return how many trials the row stands on, whatever became of them."""
    return row.counts.scored + row.counts.filtered + row.counts.unjudged + row.counts.failed


def incomplete(row: BoardRow) -> bool:
    """Tell whether the row is not like the others: it lacks tasks, or trials that count."""
    return bool(row.missing) or row.coverage < 1


def lacks(row: BoardRow) -> Sequence[str]:
    """Return what an incomplete row lacks, in words."""
    found = [plain(sentence) for sentence in row.missing]
    return [*found, f"{row.coverage:.0%} of its trials count ({outcomes(row.counts)})"] if row.coverage < 1 else found


def cells(values: Sequence[object]) -> str:
    """Return one line of a Markdown table."""
    return f"| {' | '.join(str(value) for value in values)} |"
