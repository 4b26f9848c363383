"""Corrects scores for the errors of their judge (Rogan and Gladen 1978), as far as a calibration has measured them."""

from __future__ import annotations

from libra.ranking.board.scores import ScoreInputs, has_binary_scores
from libra.statistics.misclassification import JudgeRates, rogan_gladen
from libra.statistics.score import Score
from libra.store.cells import Cell
from libra.v1.calibration_pb2 import Calibration


def correct_score(score: Score | None, cell: Cell, inputs: ScoreInputs) -> Score | None:
    """Return the score that the cell would have if its judge made no errors; None if it cannot be corrected.

    `explain_uncorrected` says why it cannot be corrected. How often a judge is right says nothing about scores
    between 0 and 1.
    """
    calibration = find_calibration(cell, inputs)
    errors = calibration and error_rates(calibration)
    if score is None or calibration is None or errors is None or not has_binary_scores(cell):
        return None
    judge = calibration.judge
    return rogan_gladen(score, errors, f"{judge.name} {judge.version} {judge.rubric_hash} by {calibration.labels_hash}")


def find_calibration(cell: Cell, inputs: ScoreInputs) -> Calibration | None:
    """Return the calibration of the version of the judge; None without one, or if the cell has several judges."""
    return inputs.calibrations.get(cell.judges[0]) if len(cell.judges) == 1 else None


def error_rates(calibration: Calibration) -> JudgeRates | None:
    """Return a judge's measured error rates; None unless people used both labels."""
    positives = calibration.true_positives + calibration.false_negatives
    negatives = calibration.true_negatives + calibration.false_positives
    if not positives or not negatives:
        return None
    return JudgeRates(
        calibration.true_positives / positives, calibration.true_negatives / negatives, positives, negatives
    )


def explain_uncorrected(cell: Cell, inputs: ScoreInputs) -> str:
    """Return why `correct_score` returned None for a cell with a score."""
    calibration = find_calibration(cell, inputs)
    if calibration is None:
        return "the judge is not calibrated in this version"
    if error_rates(calibration) is None:
        return "the judge was calibrated with only one of the two labels"
    if not has_binary_scores(cell):
        return "scores between 0 and 1 are neither right nor wrong"
    return "the judge is no better than chance"
