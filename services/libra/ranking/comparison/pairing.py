"""Pairs the cells of two models task by task, and notes which tasks cannot be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.core.attack_names import PLAIN, task_label
from libra.ranking.board.board_notes import shorten_list
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.scores import score_samples
from libra.ranking.comparison.score_difference import find_sample_overlap
from libra.statistics.score import Score
from libra.store.sums.cells import CellKey
from libra.store.sums.sample_sums import SampleSums


@dataclass(frozen=True, slots=True)
class ComparisonSide:
    """One of the two models, or runs of a model, that are compared."""

    name: str
    board_cells: Sequence[BoardCell]
    """One for each (task, attack)."""

    sample_sums: Mapping[CellKey, SampleSums]


@dataclass(frozen=True, slots=True)
class TaskPair:
    """A task, plain or under an attack, with at least one sample for which both sides have a score."""

    label: str
    """ "task", or "task+attack"."""

    task: str
    """As "name@version"."""

    category: int
    one: SampleSums
    other: SampleSums
    """The sums of the same ordinals."""

    @property
    def scores(self) -> tuple[Score, Score]:
        """The mean of each side, balanced over the gold labels if the samples have any."""
        one, other = score_samples(self.task, self.one), score_samples(self.task, self.other)
        if one is None or other is None:
            raise ValueError(f"{self.label} has no trial that counts")
        return one, other

    @property
    def weights(self) -> list[float]:
        """The weight of each sample in the scores: 1 for all, unless they are balanced over gold labels."""
        counts = Counter(self.one.labels)
        samples = len(self.one.ordinals)
        if not counts:
            return [1.0] * samples
        return [samples / len(counts) / counts[label] for label in self.one.labels]

    @property
    def is_binary(self) -> bool:
        """Whether each sample has one trial on either side, and every score is 0 or 1."""
        return all(
            all(count == 1 for count in sums.counts) and all(score in (0.0, 1.0) for score in sums.sums)
            for sums in (self.one, self.other)
        )


@dataclass(frozen=True, slots=True)
class TaskPairing:
    """The tasks of two sides: those that can be compared, and why the others cannot."""

    pairs: Sequence[TaskPair]
    """In order of name and attack."""

    reasons: Mapping[str, str]
    """Reason why a task that both sides have is not compared, by its label."""

    only_one: Sequence[BoardCell]
    """The tasks that only the first side has."""

    only_other: Sequence[BoardCell]
    """The tasks that only the second side has."""


def pair_tasks(one: ComparisonSide, other: ComparisonSide) -> tuple[list[TaskPair], list[str]]:
    """Return the tasks that can be compared, in order of name and attack, and a note on each of the others."""
    found = match_tasks(one, other)
    notes = [*_note_unshared(one.name, found.only_one), *_note_unshared(other.name, found.only_other)]
    notes += [f"{label} is not compared: {reason}" for label, reason in found.reasons.items()]
    return list(found.pairs), notes


def match_tasks(one: ComparisonSide, other: ComparisonSide) -> TaskPairing:
    """Return the tasks of two sides that can be compared, and those that cannot."""
    cells, other_cells = _by_task(one.board_cells), _by_task(other.board_cells)
    pairs, reasons = [], {}
    for task in sorted(cells.keys() & other_cells.keys(), key=_sort_key):
        label = task_label(*task)
        found = _pair_task(label, (cells[task], one), (other_cells[task], other))
        if isinstance(found, TaskPair):
            pairs.append(found)
        else:
            reasons[label] = found
    only_one = [cells[task] for task in sorted(cells.keys() - other_cells.keys(), key=_sort_key)]
    only_other = [other_cells[task] for task in sorted(other_cells.keys() - cells.keys(), key=_sort_key)]
    return TaskPairing(pairs, reasons, only_one, only_other)


CellOfSide = tuple[BoardCell, ComparisonSide]


def _pair_task(label: str, first: CellOfSide, second: CellOfSide) -> TaskPair | str:
    """Return the pair, or the reason why there is none."""
    (one, one_side), (other, other_side) = first, second
    if one.task_version != other.task_version:
        versions = f"the version {one.task_version}, {other_side.name} in {other.task_version}"
        return f"{one_side.name} has it in {versions}"
    for board_cell, side in (first, second):
        if not board_cell.cell.n:
            return f"{side.name} has no score there"
        if board_cell.cell.key not in side.sample_sums:
            return f"verdicts of {side.name} were deleted or are still being written"
    if one.cell.judges != other.cell.judges:
        judged = f"{_list_judges(one)} judged {one_side.name}, {_list_judges(other)} judged {other_side.name}"
        return f"{judged}; `libra rejudge` fixes that"
    sums, other_sums = find_sample_overlap(one_side.sample_sums[one.cell.key], other_side.sample_sums[other.cell.key])
    if not sums.ordinals:
        return "the two have no sample in common; use the same seed and number of samples"
    return TaskPair(label, one.cell.task, one.cell.category, sums, other_sums)


def _by_task(board_cells: Sequence[BoardCell]) -> dict[tuple[str, str], BoardCell]:
    return {(each.task_name, each.cell.attack): each for each in board_cells}


def _note_unshared(name: str, board_cells: Sequence[BoardCell]) -> list[str]:
    labels = [task_label(each.task_name, each.cell.attack) for each in board_cells]
    return [f"only {name} has {shorten_list(labels)}"] if labels else []


def _sort_key(task: tuple[str, str]) -> tuple[str, bool, str]:
    """Return the key that sorts the plain prompt before the attacks on its task."""
    name, attack = task
    return name, attack != PLAIN, attack


def _list_judges(board_cell: BoardCell) -> str:
    return " and ".join(f"{name} {version}" for name, version, _ in board_cell.cell.judges)
