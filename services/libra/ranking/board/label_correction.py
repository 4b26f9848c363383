"""Corrects scores by the labels that people gave to a random part of the answers (prediction-powered inference)."""

from __future__ import annotations

from array import array

from libra.ranking.board.cell_labels import CellLabels
from libra.ranking.board.scores import ScoreInputs, score_cell, to_section
from libra.statistics.prediction_powered import prediction_powered_mean
from libra.statistics.score import Score, TrialsBySample
from libra.store.sums.cells import Cell
from libra.store.sums.sample_sums import SampleSums

MIN_LABELS = 30
"""Labels that a score needs: with 10, its interval is 30 to 40 points wide and says less than the judge."""


def correct_by_labels(cell: Cell, inputs: ScoreInputs) -> Score | None:
    """Return the score that people would give to all answers of the cell; None if there are too few labels.

    `explain_unlabelled` says why. FILTERED answers need no label, and a cell that has only those is right as it is.
    """
    if not cell.scored:
        return score_cell(cell, inputs)
    labels, sums = inputs.labels.get(cell.key), inputs.sample_sums.get(cell.key)
    if cell.is_balanced or labels is None or sums is None or not _has_enough(cell, labels):
        return None
    judged = to_section(cell.task, _subtract(sums, labels.filtered))
    return prediction_powered_mean(judged, labels.drawn, labels.filtered)


def explain_unlabelled(cell: Cell, inputs: ScoreInputs) -> str:
    """Return why `correct_by_labels` returned None for a cell with a score."""
    labels = inputs.labels.get(cell.key)
    if cell.is_balanced:
        return "its score is balanced over gold labels, and the drawn answers are not"
    if labels is None or not labels.drawn.labels:
        return "no answer that was drawn at random has a label"
    if not _has_enough(cell, labels):
        return (
            f"fewer than {MIN_LABELS} answers that were drawn at random have a label, and the interval would be wider "
            "than 20 points"
        )
    return "the sums by sample are not known yet"


def count_labels(cell: Cell, inputs: ScoreInputs) -> int:
    """Return the number of labels by which the cell is corrected."""
    labels = inputs.labels.get(cell.key)
    return len(labels.drawn.labels) if labels and cell.scored else 0


def _has_enough(cell: Cell, labels: CellLabels) -> bool:
    """Return whether there are enough labels, or all answers have one."""
    return len(labels.drawn.labels) >= min(MIN_LABELS, cell.scored)


def _subtract(sums: SampleSums, filtered: TrialsBySample) -> SampleSums:
    """Return the sums over the trials that a judge has scored."""
    if not filtered.ordinals:
        return sums
    without = {
        ordinal: (count, total)
        for ordinal, count, total in zip(filtered.ordinals, filtered.counts, filtered.sums, strict=True)
    }
    parts = [without.get(ordinal, (0, 0.0)) for ordinal in sums.ordinals]
    counts = [count - part for count, (part, _) in zip(sums.counts, parts, strict=True)]
    totals = [total - part for total, (_, part) in zip(sums.sums, parts, strict=True)]
    kept = SampleSums(sums.ordinals, array("i", counts), array("d", totals))
    return kept.select([position for position, count in enumerate(counts) if count])
