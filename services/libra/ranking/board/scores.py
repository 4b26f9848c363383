"""From cells to scores: with the samples they stand on, corrected by what is known of their judge, and figures from elsewhere.

The arithmetic is that of `libra.statistics`; here it is told what belongs together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from libra.statistics import influence
from libra.statistics.influence import Score, Section
from libra.statistics.misclassification import Errors, rogan_gladen
from libra.store.cells import Cell, CellKey
from libra.store.sample_sums import SampleSums
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import Capability, CapabilityChoice

Judge = tuple[str, str, str]
"""Its name, its version and its rubric's hash."""

EITHER = CapabilityChoice.CAPABILITY_CHOICE_UNSPECIFIED
BY_TASKS = CapabilityChoice.CAPABILITY_CHOICE_TASKS
IMPORTED = CapabilityChoice.CAPABILITY_CHOICE_IMPORTED

ALL_OR_NOTHING = 1e-9
"""Scores that are 0 or 1 are their own squares: their two sums differ by rounding alone."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What scores are made of besides cells. What is not there is done without."""

    sums: Mapping[CellKey, SampleSums] = field(default_factory=dict)
    """A cell without its sums is taken for trials that are independent of each other, and of every other cell's."""

    capabilities: Mapping[str, Capability] = field(default_factory=dict)
    """Figures from elsewhere, by model."""

    calibrations: Mapping[Judge, Calibration] = field(default_factory=dict)
    """How far judges agree with people."""

    choice: int = EITHER
    """Which capability is wanted; see CapabilityChoice."""

    correct: bool = False
    """Whether means are made of corrected scores, where there are any."""


NOTHING_ELSE = Basis()
"""Cells alone."""


def of_cell(cell: Cell, basis: Basis = NOTHING_ELSE) -> Score | None:
    """Return the mean over a cell's trials, with its error clustered by sample if its sums are there; None without trials."""
    sums = basis.sums.get(cell.key)
    if sums is None:
        return influence.of_sums(cell.n, cell.sum, cell.sum_squares)
    return influence.mean(Section(cell.task, sums.ordinals, sums.counts, sums.sums))


def corrected(score: Score | None, cell: Cell, basis: Basis) -> Score | None:
    """Return the score as it would be if the cell's judge made no error (Rogan and Gladen 1978).

    None if nothing is known of the judge, if it tells nothing, or if it gave other scores than 0 and 1: how often it is
    right says nothing about those.
    """
    calibration = calibration_of(cell, basis)
    errors = calibration and errors_of(calibration)
    if score is None or calibration is None or errors is None or not all_or_nothing(cell):
        return None
    judge = calibration.judge
    return rogan_gladen(score, errors, f"{judge.name} {judge.version} {judge.rubric_hash} by {calibration.labels_hash}")


def calibration_of(cell: Cell, basis: Basis) -> Calibration | None:
    """Return what is known of the one version of the one judge that judged the cell."""
    return basis.calibrations.get(cell.judges[0]) if len(cell.judges) == 1 else None


def errors_of(calibration: Calibration) -> Errors | None:
    """Return a judge's rates as they were measured; None unless people used both labels."""
    positives = calibration.true_positives + calibration.false_negatives
    negatives = calibration.true_negatives + calibration.false_positives
    if not positives or not negatives:
        return None
    return Errors(calibration.true_positives / positives, calibration.true_negatives / negatives, positives, negatives)


def all_or_nothing(cell: Cell) -> bool:
    """Tell whether every score of the cell is 0 or 1."""
    return math.isclose(cell.sum, cell.sum_squares, rel_tol=ALL_OR_NOTHING, abs_tol=ALL_OR_NOTHING)


def mean_of(parts: Iterable[Score | None]) -> Score | None:
    """Return the unweighted mean of the parts that have a score; None if none has."""
    known = [part for part in parts if part is not None]
    return influence.average(known) if known else None


def imported(figure: Capability) -> Score:
    """Return a figure from elsewhere as a score; without a standard error, its error cannot be told."""
    return influence.fixed(figure.value, figure.standard_error if figure.HasField("standard_error") else None)
