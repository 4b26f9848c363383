"""Writes the notes of a board on tasks whose scores need an explanation: caveats, and scores by gold label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from libra.ranking.board.board_notes import shorten_list
from libra.ranking.board.cell_selection import BoardCell
from libra.v1.task_pb2 import Task


def task_notes(board_cells: Sequence[BoardCell], flagged: Iterable[Task]) -> list[str]:
    """Return the caveats of the tasks, and where a score is not balanced over all gold labels of its task.

    `flagged` has every card that has a caveat or is balanced.
    """
    cards = {f"{task.name}@{task.version}": task for task in flagged}
    scored = [each for each in board_cells if each.cell.n]
    balanced = {task for task, card in cards.items() if card.balanced_by}
    unbalanced = {
        each.task_name
        for each in scored
        if (each.cell.labels or each.cell.task in balanced) and not each.cell.is_balanced
    }
    notes = [f"{task.name}: {task.caveat}" for task in cards.values() if task.caveat]
    if unbalanced:
        notes.append(
            "not balanced over the gold labels, since an earlier version wrote verdicts without them (`libra rejudge` "
            f"adds them): {shorten_list(sorted(unbalanced))}"
        )
    return [*notes, *_missing_label_notes(scored)]


def _missing_label_notes(board_cells: Iterable[BoardCell]) -> list[str]:
    """Return which models lack a gold label of a task: their scores are the means of the others."""
    by_task: defaultdict[str, list[BoardCell]] = defaultdict(list)
    for board_cell in board_cells:
        if board_cell.cell.labels and board_cell.cell.is_balanced:
            by_task[board_cell.task_name].append(board_cell)
    notes = []
    for name, group in sorted(by_task.items()):
        labels = {label for each in group for label in each.cell.labels}
        if len(labels) == 1:
            notes.append(f"{name} has samples of one gold label alone ({labels.pop()}): nothing to balance over")
            continue
        lacking: defaultdict[str, set[str]] = defaultdict(set)
        for each in group:
            for label in labels - each.cell.labels.keys():
                lacking[label].add(each.cell.model)
        notes += [
            f"{name} is balanced without the gold label {label} for {shorten_list(sorted(models))}: no trial counts"
            for label, models in sorted(lacking.items())
        ]
    return notes
