"""Writes the notes of a board on scores that are corrected by people's labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from libra.ranking.board.board import ModelRow, TaskRow
from libra.ranking.board.board_notes import count_scores, shorten_list
from libra.ranking.board.label_correction import count_labels, explain_unlabelled
from libra.ranking.board.scores import ScoreInputs


def label_notes(rows: Sequence[ModelRow], inputs: ScoreInputs) -> list[str]:
    """Return how many labels correct which scores, which scores have too few, and which models are not covered."""
    tasks = [task for row in rows for category in row.categories for task in category.tasks if task.score]
    corrected = [task for task in tasks if task.labelled]
    covered = {task.board_cell.cell.model for task in corrected}
    return [
        *_used_note(corrected, inputs),
        *_uncorrected_notes(tasks, covered, inputs),
        *_coverage_notes((row.model for row in rows if row.cells), tasks, covered),
        *_draw_notes(tasks, inputs),
    ]


def _used_note(corrected: Sequence[TaskRow], inputs: ScoreInputs) -> Iterator[str]:
    counts = [count for task in corrected if (count := count_labels(task.board_cell.cell, inputs))]
    if not counts:
        return
    tasks = sorted({task.label for task in corrected if count_labels(task.board_cell.cell, inputs)})
    each = f"{min(counts)} to {max(counts)} each" if min(counts) < max(counts) else f"{counts[0]} each"
    yield (
        f"{count_scores(len(counts))} corrected by {sum(counts):,} labels of people, {each} "
        f"(prediction-powered inference): {shorten_list(tasks)}"
    )


def _uncorrected_notes(tasks: Sequence[TaskRow], covered: Collection[str], inputs: ScoreInputs) -> list[str]:
    """Return why scores of covered models are not corrected; another note names the models without any label."""
    uncorrected: defaultdict[str, list[str]] = defaultdict(list)
    for task in tasks:
        cell = task.board_cell.cell
        count = count_labels(cell, inputs)
        if not task.labelled and (count or cell.model in covered):
            uncorrected[explain_unlabelled(cell, inputs)].append(f"{task.label} ({cell.model}: {count})")
    return [
        f"not corrected by labels, since {why}: {shorten_list(sorted(names))}"
        for why, names in sorted(uncorrected.items())
    ]


def _coverage_notes(models: Iterable[str], tasks: Iterable[TaskRow], covered: Collection[str]) -> Iterator[str]:
    """Yield which models or tasks are compared across corrected and uncorrected scores."""
    if not covered:
        yield "no score is corrected by labels; `libra labels draw RUN` begins with labelling"
    elif without := sorted(set(models) - set(covered)):
        yield (
            f"labels cover only {shorten_list(sorted(covered))}: the scores of {shorten_list(without)} are as judged, "
            "and a difference between the two may be the judge's"
        )
    by_task: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    for task in tasks:
        if task.board_cell.cell.model in covered:
            by_task[task.label][task.board_cell.cell.model] = task.labelled is not None
    mixed = sorted(label for label, models in by_task.items() if len(set(models.values())) > 1)
    if mixed:
        yield f"corrected by labels for a part of the models only: {shorten_list(mixed)}"


def _draw_notes(tasks: Iterable[TaskRow], inputs: ScoreInputs) -> Iterator[str]:
    found = [labels for task in tasks if (labels := inputs.labels.get(task.board_cell.cell.key))]
    missing = sum(max(0, labels.draw_size - len(labels.drawn.labels)) for labels in found)
    if missing:
        drawn = sum(labels.draw_size for labels in found)
        yield f"{missing:,} of {drawn:,} answers that were drawn have no label: they are taken to be like the others"
    hand_picked = sum(labels.hand_picked for labels in found)
    if hand_picked:
        yield f"labels of answers that were not drawn at random are not used: {hand_picked:,}"
