"""Selects the cells of a board, and notes which cells are left out.

For each (model, task, attack) the newest run counts. Before that, cells that must not be compared are separated: a
board has one version and one judge for each task, the newest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar

from libra.store.sums.cells import Cell, JudgeKey

_TASK = attrgetter("cell.task")

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

UNKNOWN_IMPORT_TIME = datetime.min.replace(tzinfo=UTC)
"""For a version whose card is missing: every other version is newer."""


@dataclass(frozen=True, slots=True)
class BoardCell:
    """A cell that may count on a board."""

    cell: Cell
    expected_trials: int
    """Trials that the cell will have when its run is finished."""

    @property
    def task_name(self) -> str:
        """The task's name, without its version."""
        return _split_task(self.cell.task)[0]

    @property
    def task_version(self) -> str:
        """The task's version."""
        return _split_task(self.cell.task)[1]


@lru_cache(10_000)
def _split_task(task: str) -> tuple[str, str]:
    """Return name and version of "name@version"; some thousand cells have the same few tasks."""
    name, _, version = task.partition("@")
    return name, version


@dataclass(frozen=True, slots=True)
class CellSelection:
    """The cells that count, and a note on each version or judge that is left out."""

    cells: Sequence[BoardCell]
    notes: Sequence[str]


def select_cells(cells: Iterable[BoardCell], import_times: Mapping[str, datetime]) -> CellSelection:
    """Return one cell for each (model, task, attack), of one version and one judge for each task.

    `import_times` says when each "name@version" was imported, for the tasks with several versions (`ambiguous_tasks`).
    """
    selected: list[BoardCell] = []
    notes: list[str] = []
    for name, group in sorted(_group_by_task(cells).items()):
        of_version, version_notes = _select_version(name, group, import_times)
        of_judge, judge_notes = _select_judge(name, of_version)
        selected += _select_newest_runs(of_judge)
        notes += version_notes + judge_notes
    return CellSelection(selected, notes)


def group_by_run(cells: Iterable[BoardCell]) -> dict[str, list[BoardCell]]:
    """Return the cells by run."""
    return _group_by(cells, lambda each: each.cell.run)


def ambiguous_tasks(cells: Iterable[BoardCell]) -> list[str]:
    """Return every "name@version" of the tasks that have several versions among the cells."""
    versions = _group_by({each.cell.task for each in cells}, lambda task: task.partition("@")[0])
    return [task for group in versions.values() if len(group) > 1 for task in sorted(group)]


def _select_version(
    name: str, cells: Sequence[BoardCell], import_times: Mapping[str, datetime]
) -> tuple[list[BoardCell], list[str]]:
    """Return the cells of the version that was imported last, and a note on each other version."""
    first = cells[0].cell.task
    if all(each.cell.task == first for each in cells):
        return list(cells), []
    versions = _group_by(cells, lambda each: each.task_version)

    def newness(version: str) -> tuple[datetime, str, str]:
        import_time = import_times.get(f"{name}@{version}", UNKNOWN_IMPORT_TIME)
        return import_time, _newest_run(versions[version]), version

    newest = max(versions, key=newness)
    notes = [
        f"{name}@{version} is left out, since {name}@{newest} is newer: {_count_trials(lost)}"
        for version, group in sorted(versions.items())
        if version != newest and (lost := _find_lost(group, versions[newest]))
    ]
    return versions[newest], notes


def _select_judge(name: str, cells: Sequence[BoardCell]) -> tuple[list[BoardCell], list[str]]:
    """Return the cells of the newest run's judge and those without a judge, and a note on each other judge."""
    first = cells[0].cell.judges
    if len(first) == 1 and all(each.cell.judges == first for each in cells):
        return list(cells), []
    by_judges = _group_by(cells, lambda each: each.cell.judges)
    by_judge = {judges[0]: group for judges, group in by_judges.items() if len(judges) == 1}

    # Within one run the judge of most trials, then the last in order: every replica must select the same one.
    def newness(judge: JudgeKey) -> tuple[str, int, JudgeKey]:
        return _newest_run(by_judge[judge]), sum(each.cell.total for each in by_judge[judge]), judge

    newest = max(by_judge, key=newness, default=None)
    reason = f"the newest run has {_name_judge(newest)}" if newest else "no run has a single judge"
    selected = [each for each in cells if not set(each.cell.judges) - {newest}]
    notes = [
        f"{name} as judged by {' and '.join(map(_name_judge, judges))} is left out, "
        f"since {reason}: {_count_trials(lost)}"
        for judges, group in sorted(by_judges.items())
        if set(judges) - {newest} and (lost := _find_lost(group, selected))
    ]
    return selected, notes


def _select_newest_runs(cells: Iterable[BoardCell]) -> list[BoardCell]:
    newest: dict[tuple[str, str], BoardCell] = {}
    for each in cells:
        cell = each.cell
        key = (cell.model, cell.attack)
        known = newest.get(key)
        if known is None or cell.run > known.cell.run:
            newest[key] = each
    return [each for _, each in sorted(newest.items(), key=lambda item: item[0])]


def _find_lost(left_out: Iterable[BoardCell], selected: Iterable[BoardCell]) -> list[BoardCell]:
    """Return the left-out cells that the board would otherwise show: no selected run is as new or newer."""
    newest = {_model_and_attack(each): each.cell.run for each in _select_newest_runs(selected)}
    return [each for each in left_out if newest.get(_model_and_attack(each), "") < each.cell.run]


def _model_and_attack(board_cell: BoardCell) -> tuple[str, str]:
    return board_cell.cell.model, board_cell.cell.attack


def _group_by_task(cells: Iterable[BoardCell]) -> dict[str, list[BoardCell]]:
    """Return the cells by name of the task; they are tens of thousands, of a few tasks."""
    groups: dict[str, list[BoardCell]] = {}
    for task, group in _group_by(cells, _TASK).items():
        groups.setdefault(_split_task(task)[0], []).extend(group)
    return groups


def _group_by(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    groups: defaultdict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)


def _newest_run(cells: Sequence[BoardCell]) -> str:
    """Return the newest run: ULIDs sort by their time of creation."""
    return max(each.cell.run for each in cells)


def _count_trials(cells: Sequence[BoardCell]) -> str:
    """Return the number of trials and the models of the cells, as text."""
    models = sorted({each.cell.model for each in cells})
    return f"{sum(each.cell.total for each in cells)} trials of {', '.join(models)}"


def _name_judge(judge: JudgeKey) -> str:
    name, version, rubric = judge
    return f"{name} {version}" + (f" ({rubric})" if rubric else "")
