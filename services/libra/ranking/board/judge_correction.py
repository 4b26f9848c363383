"""Corrects scores for the errors of their judge (Rogan and Gladen 1978), as far as a calibration has measured them."""

from __future__ import annotations

from dataclasses import dataclass

from libra.ranking.board.scores import ScoreInputs, has_binary_scores, mean_score, to_section
from libra.statistics.influence import mean
from libra.statistics.misclassification import FilteredTrials, JudgeRates, correct_sums, correct_trials, rogan_gladen
from libra.statistics.score import Score
from libra.store.sums.cells import Cell
from libra.store.sums.sample_sums import SampleSums
from libra.v1.calibration_pb2 import Calibration, GroupCalibration

MODEL_FIELD = "model"
"""The column of the labels that names the model which gave an answer."""

MIN_ANSWERS = 30
"""Answers of each label that a model's own rates need: with fewer, their errors exceed most differences of models."""


@dataclass(frozen=True, slots=True)
class CellRates:
    """The error rates by which a cell is corrected."""

    calibration: Calibration
    rates: JudgeRates

    model: str = ""
    """The model whose answers they were measured on; empty for the answers of all models."""

    @property
    def key(self) -> str:
        """The same for all scores that share the errors of these rates."""
        judge = self.calibration.judge
        scope = f" of {self.model}" if self.model else ""
        return f"{judge.name} {judge.version} {judge.rubric_hash} by {self.calibration.labels_hash}{scope}"


def correct_score(score: Score | None, cell: Cell, inputs: ScoreInputs) -> Score | None:
    """Return the score that the cell would have if its judge made no errors; None if it cannot be corrected.

    FILTERED answers are not corrected, since no judge scored them. `explain_uncorrected` says why a score cannot be
    corrected. How often a judge is right says nothing about scores between 0 and 1.
    """
    found = find_rates(cell, inputs)
    if score is None or found is None or not has_binary_scores(cell):
        return None
    sums = inputs.sample_sums.get(cell.key)
    if sums is not None:
        return mean_score(_correct_samples(cell.task, label, part, found) for label, part in sums.by_label().items())
    if not _has_filtered_sums(cell):
        return None
    if cell.is_balanced:
        return mean_score(
            correct_sums(each.n, each.sum, each.filtered, each.filtered_sum, found.rates, found.key)
            for each in cell.labels.values()
        )
    return correct_sums(cell.n, cell.sum, cell.filtered, cell.filtered_sum, found.rates, found.key)


def _correct_samples(task: str, label: str, sums: SampleSums, found: CellRates) -> Score | None:
    """Return the corrected mean over the samples of one gold label, or over all."""
    trials = to_section(task, sums, label)
    if sums.filtered_counts:
        filtered = FilteredTrials(sums.filtered_counts, sums.filtered_sums)
        return correct_trials(trials, filtered, found.rates, found.key)
    score = mean(trials)
    return score and rogan_gladen(score, found.rates, found.key)


def _has_filtered_sums(cell: Cell) -> bool:
    """Return whether the sum of the scores of FILTERED answers is known: cells of earlier versions lack it."""
    return cell.filtered_n == cell.filtered


def find_calibration(cell: Cell, inputs: ScoreInputs) -> Calibration | None:
    """Return the calibration of the version of the judge; None without one, or if the cell has several judges."""
    return inputs.calibrations.get(cell.judges[0]) if len(cell.judges) == 1 else None


def find_rates(cell: Cell, inputs: ScoreInputs) -> CellRates | None:
    """Return the rates on the answers of the cell's model if there are enough, else those on all answers.

    None without a calibration, or if people used only one label.
    """
    calibration = find_calibration(cell, inputs)
    if calibration is None:
        return None
    if own := _own_rates(calibration, cell.model):
        return CellRates(calibration, own, cell.model)
    rates = error_rates(calibration)
    return CellRates(calibration, rates) if rates else None


def _own_rates(calibration: Calibration, model: str) -> JudgeRates | None:
    """Return the rates on the answers of a model; None if people gave either label too rarely."""
    groups = (group for group in calibration.groups if group.field == MODEL_FIELD and group.value == model)
    rates = next((error_rates(group) for group in groups), None)
    return rates if rates and min(rates.positives, rates.negatives) >= MIN_ANSWERS else None


def error_rates(calibration: Calibration | GroupCalibration) -> JudgeRates | None:
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
    if find_calibration(cell, inputs) is None:
        return "the judge is not calibrated in this version"
    if find_rates(cell, inputs) is None:
        return "the judge was calibrated with only one of the two labels"
    if not has_binary_scores(cell):
        return "scores between 0 and 1 are neither right nor wrong"
    if cell.key not in inputs.sample_sums and not _has_filtered_sums(cell):
        return "an earlier version did not sum the scores of its FILTERED answers, which no judge gave"
    return "the judge is no better than chance"
