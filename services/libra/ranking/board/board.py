"""Make the leaderboard's rows of the cells that count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from libra.contracts.attacks import task_label
from libra.contracts.categories import category_name
from libra.ranking.board import scores
from libra.ranking.board.cell_selection import Entry
from libra.ranking.board.scores import BY_TASKS, IMPORTED, NOTHING_ELSE, Basis
from libra.ranking.board.standings import UNRANKED, Overalls, Standing, level, standings
from libra.statistics import overall
from libra.statistics.score import Score
from libra.store.cells import Cell
from libra.v1.ranking_pb2 import Capability
from libra.v1.task_pb2 import Category

SAFETY = frozenset(
    {
        Category.CATEGORY_DIRECT_RISKY,
        Category.CATEGORY_ADVERSARIAL,
        Category.CATEGORY_INSTRUCTION_HIERARCHY,
        Category.CATEGORY_OVER_SENSITIVE,
    }
)
ABLE = Category.CATEGORY_CAPABILITY
TASKS = "tasks"
"""What a row says of a capability that was measured by capability tasks."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One model on one task, plain or under an attack."""

    entry: Entry
    score: Score | None
    corrected: Score | None = None
    """What the score would be if the judge made no error; None if that cannot be told."""

    @property
    def label(self) -> str:
        """What people call it: "task", or "task+attack"."""
        return task_label(self.entry.name, self.entry.cell.attack)


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One model in one category."""

    category: int
    score: Score | None
    tasks: Sequence[TaskRow]
    """In order of name and attack; those without a score do not count."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model's place."""

    model: str
    overalls: Overalls | None
    """None unless safety and capability both have a score."""

    safety: Score | None
    capability: Score | None
    capability_source: str
    """Where capability comes from; empty without one."""

    categories: Sequence[CategoryRow]
    standing: Standing = UNRANKED
    missing: Sequence[str] = ()
    """What other rows have a score in and this one has not, in words."""

    @property
    def overall(self) -> Score | None:
        """Overall by the distance to the optimum, which rows are ranked by."""
        return self.overalls.distance if self.overalls else None

    @property
    def rank(self) -> int:
        """Its place by Overall, from 1; 0 without one."""
        return self.standing.rank

    @property
    def cells(self) -> list[Cell]:
        """All that the row stands on."""
        return [task.entry.cell for category in self.categories for task in category.tasks]

    @property
    def coverage(self) -> float:
        """Counted trials / all trials, in [0, 1]; 0 without any."""
        trials = sum(task.entry.trials for category in self.categories for task in category.tasks)
        return sum(cell.n for cell in self.cells) / trials if trials else 0.0


def rows(entries: Iterable[Entry], basis: Basis = NOTHING_ELSE) -> list[Row]:
    """Return a row for each model, by Overall, the best first; rows without one last, by name.

    `entries` holds one for each (model, task, attack). A row's scores depend on its own entries, its own imported figure and
    what is known of the judges: on no other row. Where it stands and what it lacks does.
    """
    by_model: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_model[entry.cell.model].append(entry)
    return _compared([_row(model, group, basis) for model, group in by_model.items()], basis)


def _row(model: str, entries: Sequence[Entry], basis: Basis) -> Row:
    categories = _categories(entries, basis)
    safety = scores.mean_of(category.score for category in categories if category.category in SAFETY)
    capability, source = _capability(categories, basis.capabilities.get(model), basis.choice)
    overalls = None
    if capability and safety:
        overalls = Overalls(
            overall.by_distance(capability, safety),
            overall.by_sum(capability, safety),
            overall.by_norm(capability, safety),
        )
    return Row(model, overalls, safety, capability, source, categories)


def _categories(entries: Iterable[Entry], basis: Basis) -> list[CategoryRow]:
    tasks: defaultdict[int, list[TaskRow]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.name, entry.cell.attack)):
        score = scores.of_cell(entry.cell, basis)
        tasks[entry.cell.category].append(TaskRow(entry, score, scores.corrected(score, entry.cell, basis)))
    return [
        CategoryRow(category, scores.mean_of(_counted(task, basis) for task in group), group)
        for category, group in sorted(tasks.items())
    ]


def _counted(task: TaskRow, basis: Basis) -> Score | None:
    """Return the score of a task that its category is made of."""
    return task.corrected or task.score if basis.correct else task.score


def _capability(categories: Iterable[CategoryRow], figure: Capability | None, choice: int) -> tuple[Score | None, str]:
    """Return the capability that is wanted, and where it comes from."""
    measured = scores.mean_of(category.score for category in categories if category.category == ABLE)
    if measured and choice != IMPORTED:
        return measured, TASKS
    if figure and choice != BY_TASKS:
        return scores.imported(figure), f"{figure.scale}, {figure.zero:g} to {figure.one:g}, from {figure.source}"
    return None, ""


def _compared(alone: Sequence[Row], basis: Basis) -> list[Row]:
    """Return the rows in their order, each with its standing, and with what it lacks beside the others."""
    ordered = sorted(alone, key=lambda row: (row.overall is None, -level(row.overall), row.model))
    have = {scored for row in ordered for scored in _scored(row)}
    able = any(row.capability for row in ordered)
    return [
        replace(row, standing=standing, missing=_missing(row, have, basis.choice, able=able))
        for row, standing in zip(ordered, standings([row.overalls for row in ordered]), strict=True)
    ]


def _scored(row: Row) -> list[tuple[int, str]]:
    """Return every (category, label) that the row has a score in."""
    return [(each.category, task.label) for each in row.categories for task in each.tasks if task.score]


def _missing(row: Row, have: Iterable[tuple[int, str]], choice: int, *, able: bool) -> list[str]:
    """Return what `have` holds and the row lacks: whole categories first, then tasks of the categories it has.

    Capability tasks are not missed where capability is imported. `able` says whether any row has a capability.
    """
    own = set(_scored(row))
    own_categories = {category for category, _ in own}
    by_tasks = row.capability_source == TASKS or (not row.capability and choice != IMPORTED)
    lacking = sorted(scored for scored in set(have) - own if by_tasks or scored[0] != ABLE)
    categories = sorted({category for category, _ in lacking} - own_categories)
    figure = able and not row.capability and ABLE not in categories
    return [
        *(f"category {category_name(category)}" for category in categories),
        *(f"task {label}" for category, label in lacking if category in own_categories),
        *(["an imported capability"] if figure else []),
    ]
