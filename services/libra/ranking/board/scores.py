"""Computes scores: of cells, with standard errors clustered by sample, of groups of scores, and of imported figures.

The arithmetic is in `libra.statistics`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from libra.ranking.board.cell_labels import CellLabels
from libra.statistics import influence
from libra.statistics.score import Score, TrialsBySample
from libra.store.sums.cells import Cell, CellKey, JudgeKey
from libra.store.sums.sample_sums import SampleSums
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import Capability, CapabilityChoice

ANY_CAPABILITY = CapabilityChoice.CAPABILITY_CHOICE_UNSPECIFIED
TASK_CAPABILITY = CapabilityChoice.CAPABILITY_CHOICE_TASKS
IMPORTED_CAPABILITY = CapabilityChoice.CAPABILITY_CHOICE_IMPORTED

BINARY_TOLERANCE = 1e-9
"""Scores that are 0 or 1 equal their squares: the two sums differ only by rounding."""


@dataclass(frozen=True, slots=True)
class ScoreInputs:
    """The inputs of scores besides cells. All are optional."""

    sample_sums: Mapping[CellKey, SampleSums] = field(default_factory=dict)
    """Trials of a cell that is missing here are treated as independent of each other and of every other cell."""

    capabilities: Mapping[str, Capability] = field(default_factory=dict)
    """Imported figures, by model."""

    calibrations: Mapping[JudgeKey, Calibration] = field(default_factory=dict)
    """Measurements of judges against people's labels."""

    capability_choice: int = ANY_CAPABILITY
    """The kind of capability that is wanted; see CapabilityChoice."""

    correct_judges: bool = False
    """Whether means are made of corrected scores, where there are any."""

    labels: Mapping[CellKey, CellLabels] = field(default_factory=dict)
    """The labels of cells that have any."""

    use_labels: bool = False
    """Whether means are made of scores corrected by labels, where there are enough."""

    benchmark_accuracy: bool = False
    """Whether benchmark accuracies are computed."""


CELLS_ONLY = ScoreInputs()


def score_cell(cell: Cell, inputs: ScoreInputs = CELLS_ONLY) -> Score | None:
    """Return the mean over a cell's trials, balanced over its gold labels if it has any; None without such trials.

    The standard error is clustered by sample if the cell's sums by sample are known.
    """
    sums = inputs.sample_sums.get(cell.key)
    if sums is not None:
        return score_samples(cell.task, sums)
    if cell.is_balanced:
        return mean_score(influence.mean_from_sums(each.n, each.sum, each.sum_squares) for each in cell.labels.values())
    return influence.mean_from_sums(cell.n, cell.sum, cell.sum_squares)


def score_samples(task: str, sums: SampleSums) -> Score | None:
    """Return the mean over the trials of the task "name@version"; None without any.

    If the samples have gold labels, it is the unweighted mean of the means of the labels. Its variance is then the
    stratified one: that of the labels' means, divided by the square of their number.
    """
    if not sums.labels:
        return influence.mean(to_section(task, sums))
    return mean_score(influence.mean(to_section(task, part, label)) for label, part in sums.by_label().items())


def to_section(task: str, sums: SampleSums, label: str = "") -> TrialsBySample:
    """Return the sums as a section of the task "name@version": all models and attacks share its samples.

    The samples of one gold label are a section of their own.
    """
    return TrialsBySample(f"{task} {label}" if label else task, sums.ordinals, sums.counts, sums.sums)


def has_binary_scores(cell: Cell) -> bool:
    """Return whether every score of the cell is 0 or 1."""
    return math.isclose(cell.sum, cell.sum_squares, rel_tol=BINARY_TOLERANCE, abs_tol=BINARY_TOLERANCE)


def mean_score(scores: Iterable[Score | None]) -> Score | None:
    """Return the unweighted mean of the scores that exist; None if there is none."""
    known = [score for score in scores if score is not None]
    return influence.average(known) if known else None


def limited_mean(scores: Iterable[Score | None]) -> Score | None:
    """Return the unweighted mean of the scores that exist, cut to [0, 1]; None if there is none."""
    mean = mean_score(scores)
    return mean and influence.limited(mean)


def score_figure(figure: Capability) -> Score:
    """Return an imported figure as a score; without a standard error in the figure, that of the score is unknown."""
    return influence.external_score(figure.value, figure.standard_error if figure.HasField("standard_error") else None)
