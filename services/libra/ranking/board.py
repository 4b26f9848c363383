"""Make the leaderboard's rows of the cells that count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from libra.ranking import scores
from libra.ranking.scores import Estimate
from libra.ranking.selection import Entry
from libra.store.cells import Cell
from libra.v1.task_pb2 import Category

SAFETY = frozenset(
    {
        Category.CATEGORY_DIRECT_RISKY,
        Category.CATEGORY_ADVERSARIAL,
        Category.CATEGORY_INSTRUCTION_HIERARCHY,
        Category.CATEGORY_OVER_SENSITIVE,
    }
)
PLAIN = "none"
SAME_DIGITS = 12
"""Two models whose Overall agrees to so many digits share a rank: what differs beyond is rounding."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One model on one task, plain or under an attack."""

    entry: Entry
    score: Estimate | None

    @property
    def label(self) -> str:
        """What people call it: "task", or "task+attack"."""
        attack = self.entry.cell.attack
        return self.entry.name if attack == PLAIN else f"{self.entry.name}+{attack}"


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One model in one category."""

    category: int
    score: Estimate | None
    tasks: Sequence[TaskRow]
    """In order of name and attack; those without a score do not count."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model's place."""

    model: str
    overall: Estimate | None
    safety: Estimate | None
    capability: Estimate | None
    categories: Sequence[CategoryRow]
    rank: int = 0
    """From 1; 0 without an Overall."""

    missing: Sequence[str] = ()
    """What other rows have a score in and this one has not, in words."""

    @property
    def cells(self) -> list[Cell]:
        """All that the row stands on."""
        return [task.entry.cell for category in self.categories for task in category.tasks]

    @property
    def coverage(self) -> float:
        """Counted trials / all trials, in [0, 1]; 0 without any."""
        trials = sum(task.entry.trials for category in self.categories for task in category.tasks)
        return sum(cell.n for cell in self.cells) / trials if trials else 0.0


def rows(entries: Iterable[Entry]) -> list[Row]:
    """Return a row for each model, by Overall, the best first; rows without one last, by name.

    `entries` holds one for each (model, task, attack). A row's scores depend on its own entries alone.
    """
    by_model: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_model[entry.cell.model].append(entry)
    return _compared([_row(model, group) for model, group in by_model.items()])


def _row(model: str, entries: Sequence[Entry]) -> Row:
    categories = _categories(entries)
    safety = scores.mean_of(category.score for category in categories if category.category in SAFETY)
    capability = scores.mean_of(
        category.score for category in categories if category.category == Category.CATEGORY_CAPABILITY
    )
    return Row(model, scores.overall(capability, safety), safety, capability, categories)


def _categories(entries: Iterable[Entry]) -> list[CategoryRow]:
    tasks: defaultdict[int, list[TaskRow]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.name, entry.cell.attack)):
        cell = entry.cell
        tasks[cell.category].append(TaskRow(entry, scores.of_trials(cell.n, cell.sum, cell.sum_squares)))
    return [
        CategoryRow(category, scores.mean_of(task.score for task in group), group)
        for category, group in sorted(tasks.items())
    ]


def _compared(alone: Sequence[Row]) -> list[Row]:
    """Return the rows in their order, each with its rank, and with what it lacks beside the others."""
    ordered = sorted(alone, key=lambda row: (row.overall is None, -_level(row), row.model))
    levels = [_level(row) for row in ordered]
    have = [scored for row in ordered for scored in _scored(row)]
    return [
        replace(row, rank=levels.index(_level(row)) + 1 if row.overall else 0, missing=_missing(row, have))
        for row in ordered
    ]


def _level(row: Row) -> float:
    return round(row.overall.value, SAME_DIGITS) if row.overall else 0.0


def _scored(row: Row) -> list[tuple[int, str]]:
    """Return every (category, label) that the row has a score in."""
    return [(each.category, task.label) for each in row.categories for task in each.tasks if task.score]


def _missing(row: Row, have: Iterable[tuple[int, str]]) -> list[str]:
    """Return what `have` holds and the row lacks: whole categories first, then tasks of the categories it has."""
    own = set(_scored(row))
    own_categories = {category for category, _ in own}
    lacking = sorted(set(have) - own)
    categories = sorted({category for category, _ in lacking} - own_categories)
    return [
        *(f"category {category_name(category)}" for category in categories),
        *(f"task {label}" for category, label in lacking if category in own_categories),
    ]


def category_name(category: int) -> str:
    """Return what people call a category, for instance "direct_risky"."""
    known = {number: name for name, number in Category.items()}
    return known.get(Category.ValueType(category), str(category)).removeprefix("CATEGORY_").lower()
