"""Computes the rows of the leaderboard from the selected cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from libra.core.attack_names import task_label
from libra.core.category_names import category_name
from libra.ranking.board.benchmark import NO_BENCHMARK_SCORES, BenchmarkScores, benchmark_score, combine
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.judge_correction import correct_score
from libra.ranking.board.label_correction import correct_by_labels, count_labels
from libra.ranking.board.ranks import UNRANKED, ModelRanks, OverallScores, rank_models, rounded_value
from libra.ranking.board.scores import (
    CELLS_ONLY,
    IMPORTED_CAPABILITY,
    TASK_CAPABILITY,
    ScoreInputs,
    limited_mean,
    mean_score,
    score_cell,
    score_figure,
)
from libra.statistics import overall
from libra.statistics.influence import limited
from libra.statistics.score import Score
from libra.store.sums.cells import Cell
from libra.v1.ranking_pb2 import Capability
from libra.v1.task_pb2 import Category

SAFETY_CATEGORIES = frozenset(
    {
        Category.CATEGORY_DIRECT_RISKY,
        Category.CATEGORY_ADVERSARIAL,
        Category.CATEGORY_INSTRUCTION_HIERARCHY,
        Category.CATEGORY_OVER_SENSITIVE,
    }
)
CAPABILITY = Category.CATEGORY_CAPABILITY
TASKS = "tasks"
"""The capability_source of a row whose capability was measured by capability tasks."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One model on one task, plain or under an attack."""

    board_cell: BoardCell
    score: Score | None
    corrected: Score | None = None
    """The score corrected for the errors of the judge, which may lie outside [0, 1]; None if it cannot be corrected."""

    labelled: Score | None = None
    """The score corrected by the labels of people, which may lie outside [0, 1]; None without enough of them."""

    labels: int = 0
    """The number of labels behind `labelled`."""

    benchmark: Score | None = None
    """The benchmark accuracy, if it was requested."""

    @property
    def label(self) -> str:
        """The name that is shown: "task", or "task+attack"."""
        return task_label(self.board_cell.task_name, self.board_cell.cell.attack)


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One model in one category."""

    category: int
    mean: Score | None
    """The mean of its tasks, which may lie outside [0, 1] if they are corrected."""

    tasks: Sequence[TaskRow]
    """In order of name and attack; tasks without a score do not count."""

    @property
    def benchmark(self) -> Score | None:
        """The benchmark accuracy, if it was requested."""
        return mean_score(task.benchmark for task in self.tasks)

    @property
    def score(self) -> Score | None:
        """The score in [0, 1]."""
        return self.mean and limited(self.mean)


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model on the leaderboard."""

    model: str
    overalls: OverallScores | None
    """None unless safety and capability both have a score."""

    safety: Score | None
    capability: Score | None
    capability_source: str
    """Source of the capability; empty without one."""

    categories: Sequence[CategoryRow]
    ranks: ModelRanks = UNRANKED
    missing: Sequence[str] = ()
    """The names of the scores that other rows have and this row has not."""

    benchmark: BenchmarkScores = NO_BENCHMARK_SCORES
    """The benchmark accuracies, if they were requested."""

    scored_labels: frozenset[tuple[int, str]] = frozenset()
    """The category and the label of each task with a score."""

    @property
    def overall(self) -> Score | None:
        """Overall by the distance to the optimum. Rows are ranked by it."""
        return self.overalls.distance if self.overalls else None

    @property
    def rank(self) -> int:
        """The rank by Overall, from 1; 0 without an Overall."""
        return self.ranks.rank

    @property
    def cells(self) -> list[Cell]:
        """All cells of the row."""
        return [task.board_cell.cell for category in self.categories for task in category.tasks]

    @property
    def coverage(self) -> float:
        """Trials that count / all trials, in [0, 1]; 0 without any."""
        trials = sum(task.board_cell.expected_trials for category in self.categories for task in category.tasks)
        return sum(cell.n for cell in self.cells) / trials if trials else 0.0


def build_rows(board_cells: Iterable[BoardCell], inputs: ScoreInputs = CELLS_ONLY) -> list[ModelRow]:
    """Return a row for each model, by Overall, the best first; rows without an Overall last, by name.

    `board_cells` has one cell for each (model, task, attack). A row's scores depend on its own cells, its own
    imported figure and the calibrations of the judges, and on no other row. Only its ranks and its missing scores
    depend on other rows.
    """
    groups = group_by_model(board_cells)
    return compare_rows([build_row(model, group, inputs) for model, group in groups.items()], inputs)


def group_by_model(board_cells: Iterable[BoardCell]) -> dict[str, list[BoardCell]]:
    """Return the cells by model, in their order."""
    by_model: defaultdict[str, list[BoardCell]] = defaultdict(list)
    for board_cell in board_cells:
        by_model[board_cell.cell.model].append(board_cell)
    return dict(by_model)


def build_row(model: str, board_cells: Sequence[BoardCell], inputs: ScoreInputs) -> ModelRow:
    """Return the row of one model, without what depends on other rows: ranks and missing scores."""
    categories = _build_categories(board_cells, inputs)
    safety = limited_mean(category.mean for category in categories if category.category in SAFETY_CATEGORIES)
    capability, source = _choose_capability(categories, inputs.capabilities.get(model), inputs.capability_choice)
    overalls = None
    if capability and safety:
        overalls = OverallScores(
            overall.by_distance(capability, safety),
            overall.by_sum(capability, safety),
            overall.by_norm(capability, safety),
        )
    labels = frozenset((each.category, task.label) for each in categories for task in each.tasks if task.score)
    row = ModelRow(model, overalls, safety, capability, source, categories, scored_labels=labels)
    return replace(row, benchmark=_combine_benchmarks(row)) if inputs.benchmark_accuracy else row


def _build_categories(board_cells: Iterable[BoardCell], inputs: ScoreInputs) -> list[CategoryRow]:
    tasks: defaultdict[int, list[TaskRow]] = defaultdict(list)
    for board_cell in sorted(board_cells, key=lambda each: (each.task_name, each.cell.attack)):
        tasks[board_cell.cell.category].append(_build_task(board_cell, inputs))
    return [
        CategoryRow(category, mean_score(_counted_score(task, inputs) for task in group), group)
        for category, group in sorted(tasks.items())
    ]


def _build_task(board_cell: BoardCell, inputs: ScoreInputs) -> TaskRow:
    cell = board_cell.cell
    score = score_cell(cell, inputs)
    row = TaskRow(board_cell, score, correct_score(score, cell, inputs), benchmark=benchmark_score(cell, inputs))
    if not inputs.use_labels:
        return row
    labelled = correct_by_labels(cell, inputs)
    return replace(row, labelled=labelled, labels=count_labels(cell, inputs) if labelled else 0)


def _counted_score(task: TaskRow, inputs: ScoreInputs) -> Score | None:
    """Return the score of a task that counts in its category: labels of the answers themselves go first."""
    if task.labelled:
        return task.labelled
    return task.corrected or task.score if inputs.correct_judges else task.score


def _combine_benchmarks(row: ModelRow) -> BenchmarkScores:
    """Return the benchmark accuracies of a row; an imported capability stays as it is."""
    by_category = {category.category: category.benchmark for category in row.categories}
    safety = mean_score(score for category, score in by_category.items() if category in SAFETY_CATEGORIES)
    measured = row.capability_source == TASKS
    return combine(safety, by_category.get(CAPABILITY) if measured else row.capability)


def _choose_capability(
    categories: Iterable[CategoryRow], figure: Capability | None, choice: int
) -> tuple[Score | None, str]:
    """Return the capability of the wanted kind, and its source."""
    measured = limited_mean(category.mean for category in categories if category.category == CAPABILITY)
    if measured and choice != IMPORTED_CAPABILITY:
        return measured, TASKS
    if figure and choice != TASK_CAPABILITY:
        return score_figure(figure), f"{figure.scale}, {figure.zero:g} to {figure.one:g}, from {figure.source}"
    return None, ""


def compare_rows(rows: Sequence[ModelRow], inputs: ScoreInputs) -> list[ModelRow]:
    """Return the rows in their order, each with its ranks and its missing scores."""
    ordered = sorted(rows, key=lambda row: (row.overall is None, -rounded_value(row.overall), row.model))
    all_labels = frozenset().union(*(row.scored_labels for row in ordered))
    any_capability = any(row.capability for row in ordered)
    missing = [
        _find_missing(row, all_labels, inputs.capability_choice, any_capability=any_capability) for row in ordered
    ]
    ranks = rank_models([row.overalls for row in ordered])
    return [
        replace(row, ranks=row_ranks, missing=row_missing)
        for row, row_ranks, row_missing in zip(ordered, ranks, missing, strict=True)
    ]


def _find_missing(
    row: ModelRow, all_labels: frozenset[tuple[int, str]], choice: int, *, any_capability: bool
) -> list[str]:
    """Return the labels that the row lacks: whole categories first, then tasks of the categories that it has.

    Capability tasks are not missing where the capability is imported. `any_capability` says whether any row has one.
    """
    own_categories = {category for category, _ in row.scored_labels}
    by_tasks = row.capability_source == TASKS or (not row.capability and choice != IMPORTED_CAPABILITY)
    lacking = sorted(label for label in all_labels - row.scored_labels if by_tasks or label[0] != CAPABILITY)
    categories = sorted({category for category, _ in lacking} - own_categories)
    lacks_figure = any_capability and not row.capability and CAPABILITY not in categories
    return [
        *(f"category {category_name(category)}" for category in categories),
        *(f"task {label}" for category, label in lacking if category in own_categories),
        *(["an imported capability"] if lacks_figure else []),
    ]
