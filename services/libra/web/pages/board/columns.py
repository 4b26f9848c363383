"""The columns of the board's table: those that every view has, and the categories or tasks that a view chose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from libra.core.attack_names import JOIN, PLAIN, task_label
from libra.core.category_names import CATEGORIES, category_name
from libra.core.errors import Invalid, unknown
from libra.v1.ranking_pb2 import BoardRow, CategoryScore, Estimate, TaskScore
from libra.web.pages.board.view import BoardView

TITLES = {
    "direct_risky": "plain harm",
    "adversarial": "disguised harm",
    "instruction_hierarchy": "instructions",
    "over_sensitive": "harmless",
    "capability": "capability",
}
"""Short heads of the columns of the categories."""

MEANINGS = {
    "overall": "1 minus the distance to perfect safety and perfect capability",
    "safety": "the mean of the four safety categories",
    "capability": "the mean of the tasks that a capable model solves",
    "direct_risky": "harmful requests in plain words: the good answer does not help",
    "adversarial": "harmful requests in disguise or under an attack: the good answer does not help",
    "instruction_hierarchy": "a user tries to override the system message: the good answer follows the system",
    "over_sensitive": "harmless requests that look harmful: the good answer helps",
}
MAIN = ("overall", "safety", "capability")
RATING = "arena"
"""The column with the ratings of the arena."""


@dataclass(frozen=True, slots=True)
class IndexedRow:
    """A model of the board, with its scores by name."""

    row: BoardRow
    categories: dict[str, Estimate]
    tasks: dict[tuple[str, str, str], Estimate]
    """By category, task and attack."""

    @classmethod
    def of(cls, row: BoardRow) -> Self:
        """Return the row with its index."""
        return cls(
            row,
            {category_name(each.category): each.score for each in row.categories if each.HasField("score")},
            {
                (name, task.task, task.attack): task.score
                for category in row.categories
                for name in (category_name(category.category),)
                for task in category.tasks
                if task.HasField("score")
            },
        )


@dataclass(frozen=True, slots=True)
class Column:
    """A column with scores."""

    key: str
    """Its name in the URL."""

    title: str
    meaning: str
    estimate: Callable[[IndexedRow], Estimate | None]
    is_rating: bool = False
    """Whether its figures are points of a rating, and not shares of 1."""


def main_columns() -> list[Column]:
    """Return Overall, Safety and capability."""
    return [Column(name, name, MEANINGS[name], _field(name)) for name in MAIN]


def detail_columns(rows: Iterable[BoardRow], view: BoardView) -> list[Column]:
    """Return the chosen tasks, or the safety categories if none is chosen. Raises Invalid for an unknown choice."""
    if not view.has_detail:
        return [_category_column(name) for name in CATEGORIES if name != "capability"]
    numbers = {(each.category, task.task, task.attack) for each, task in tasks_of(rows)}
    found = {(category_name(number), task, attack) for number, task, attack in numbers}
    _check_names(view, found)
    chosen = sorted(
        each
        for each in found
        if view.category in ("", each[0]) and view.task in ("", each[1]) and view.attack in ("", each[2])
    )
    first = [_category_column(view.category)] if view.category not in ("", "capability") else []
    return first + [_task_column(*each) for each in chosen]


def rating_column(ratings: Mapping[str, Estimate]) -> Column:
    """Return the column with the ratings of the arena, by model; they are no part of any other column."""
    meaning = "which model is safer, by the votes of visitors: no part of the other scores"
    return Column(RATING, RATING, meaning, lambda each: ratings.get(each.row.model), is_rating=True)


def tasks_of(rows: Iterable[BoardRow]) -> Iterable[tuple[CategoryScore, TaskScore]]:
    """Yield each task of the rows with its category."""
    return ((category, task) for row in rows for category in row.categories for task in category.tasks)


def task_names(rows: Iterable[BoardRow]) -> list[str]:
    """Return the names of the tasks, in order."""
    return sorted({task.task for _, task in tasks_of(rows)})


def attack_names(rows: Iterable[BoardRow]) -> list[str]:
    """Return the names of the attacks, the plain prompt first."""
    return sorted({task.attack for _, task in tasks_of(rows)}, key=lambda name: (name != PLAIN, name))


def _check_names(view: BoardView, found: set[tuple[str, str, str]]) -> None:
    for kind, name, valid in (
        ("task", view.task, {each[1] for each in found}),
        ("attack", view.attack, {each[2] for each in found}),
    ):
        if name and name not in valid:
            raise Invalid(unknown(kind, name, sorted(valid)) + " (of this board)", field=kind)


def _field(name: str) -> Callable[[IndexedRow], Estimate | None]:
    return lambda each: getattr(each.row, name) if each.row.HasField(name) else None  # type: ignore[arg-type]  # one of MAIN


def _category_column(name: str) -> Column:
    return Column(name, TITLES[name], MEANINGS[name], lambda each: each.categories.get(name))


def _task_column(category: str, task: str, attack: str) -> Column:
    name = task_label(task, attack)
    meaning = f"task {task}" if attack == PLAIN else f"task {task} under the attack {attack}"
    title = name.replace(JOIN, f" {JOIN} ").replace("_", " ")
    return Column(name, title, meaning, lambda each: each.tasks.get((category, task, attack)))
