"""Prediction-powered inference: a mean over all answers from the scores of a judge and the labels of people on some.

PPI++ (Angelopoulos, Duchi, Zrnic 2023, arXiv 2311.01453): with the judge's scores f of all answers, and the labels y of
n answers drawn at random, the mean of y over all answers is

    lambda mean(f, all answers) + mean(y - lambda f, labelled answers)

Any lambda gives an unbiased mean, however often the judge errs and on whichever model. The power-tuned lambda, the
slope of y on f, makes its variance least: 0 for a judge that says nothing, 1 for one that is always right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from libra.statistics.effective_sample_size import UPPER_QUANTILE
from libra.statistics.influence import mean, score_of
from libra.statistics.score import Influences, Score, TrialsBySample

PSEUDO_LABELS = 1.0
"""The weight of no relation between judge and people in the slope, in labels of which the judge is half right."""

PSEUDO_ERRORS = 0.125
"""Added to the sum of squared residuals: a judge without an error on thirty answers is not known to make none."""

MIN_LABELS = 3
"""With fewer, a slope from all labels but one is not defined."""

ROUNDING = 1e-12
"""Above the rounding error in a sum of squares of scores."""


@dataclass(frozen=True, slots=True)
class LabelledTrials:
    """Trials of one task by one model, drawn at random, that people have labelled: three sequences of one length."""

    ordinals: Sequence[int]
    """The samples of the trials; a sample may occur several times, once for each epoch."""

    judged: Sequence[float]
    """The judge's scores, in [0, 1]."""

    labels: Sequence[float]
    """The scores that people gave, in [0, 1]."""


def prediction_powered_mean(
    judged: TrialsBySample, labelled: LabelledTrials, known: TrialsBySample | None = None
) -> Score | None:
    """Return the mean of the labels that people would give to all trials; None if there are fewer than three labels.

    `judged` has all trials with a score by the judge, of which `labelled` were drawn at random. `known` has further
    trials that need no label, because their scores are right by definition. The value may lie outside [0, 1]; `limited`
    cuts it after averaging.

    The slope for label i is computed without it (`tune_slopes`), so that the mean is unbiased and its residuals are as
    large as those of answers without a label. The influence of a sample is lambda times that on the mean of the judge's
    scores plus, with a label, its residual / n. Labels of all trials replace the judge's scores.
    """
    known = known or TrialsBySample(judged.task, [], [], [])
    n, trials = len(labelled.labels), int(sum(judged.counts))
    if n >= trials:
        return mean(_joined(judged.task, _by_sample(labelled), known))
    if n < MIN_LABELS:
        return None
    average = sum(judged.sums) / trials
    scores, labels = np.asarray(labelled.judged, dtype=float), np.asarray(labelled.labels, dtype=float)
    slopes = tune_slopes(scores, labels)
    values = labels - slopes * (scores - average)
    slope, level = float(slopes.mean()), float(values.mean())
    predicted = slope * np.asarray(judged.sums) + np.asarray(judged.counts) * (level - slope * average)
    predicted_trials = TrialsBySample(judged.task, judged.ordinals, judged.counts, predicted.tolist())
    whole = mean(_joined(judged.task, predicted_trials, known))
    if whole is None or whole.standard_error is None:
        return whole
    share = trials / whole.n
    return _with_residuals(whole, judged.task, np.asarray(labelled.ordinals), labels, values, share)


def tune_slopes(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return for each label the power-tuned lambda from the other labels, the slope of labels on scores; shape (n,).

    With sums over all labels but one, S_fy / (S_ff + k). k = 1 for scores of 0 and 1, and less in proportion for scores
    that vary less. It draws the slope to 0, where few labels or hardly any judged failure say what the judge is worth.
    PPI++ divides by the variance of all scores instead; both agree for many labels.
    """
    n = len(labels)
    scores_from_mean, labels_from_mean = scores - scores.mean(), labels - labels.mean()
    left_out = n / (n - 1)
    shared = scores_from_mean @ labels_from_mean - left_out * scores_from_mean * labels_from_mean
    own = scores_from_mean @ scores_from_mean - left_out * scores_from_mean**2
    slopes: np.ndarray = shared / (np.maximum(own, 0.0) + PSEUDO_LABELS * _relative_variance(scores))
    return slopes


def _with_residuals(
    whole: Score, task: str, ordinals: np.ndarray, labels: np.ndarray, values: np.ndarray, share: float
) -> Score:
    """Return the score with the error that comes from the labels.

    `share` is the share of the judged trials. The residuals r are scaled by the quantile of Student's distribution with
    n - 1 degrees of freedom over that of the normal one, and by sqrt((S + d) / S), with S the sum of r^2 and d = 1/8
    for labels of 0 and 1.

    With R^2 = 1 - (S + d) / (S_yy + d), the share of the labels' variance that the judge explains, the effective number
    of samples is 1 / (R^2 / k + (1 - R^2) / m), k of all samples and m of labelled ones: a judge that explains nothing
    leaves the labels alone.
    """
    n, residuals = len(labels), values - values.mean()
    pseudo = PSEUDO_ERRORS * _relative_variance(labels)
    left, total = float(residuals @ residuals), float(np.sum((labels - labels.mean()) ** 2))
    explained = max(0.0, 1 - (left + pseudo) / (total + pseudo)) if total > ROUNDING else 0.0
    student = float(stdtrit(n - 1, UPPER_QUANTILE) / ndtri(UPPER_QUANTILE))
    factor = student * math.sqrt(n / (n - 1) * (left + pseudo) / left) if left > ROUNDING else 0.0
    part = whole.influences[task]
    order = np.argsort(part.ordinals)
    positions = order[np.searchsorted(part.ordinals, ordinals, sorter=order)]
    moved = part.values.copy()
    np.add.at(moved, positions, share * factor * residuals / n)
    open_share = share**2 * (1 - explained)
    clusters = 1 / ((1 - open_share) / part.clusters + open_share / len(np.unique(ordinals)))
    return score_of(whole.value, whole.n, {task: Influences(part.ordinals, moved, part.weight, clusters)})


def _relative_variance(values: np.ndarray) -> float:
    """Return the variance over the largest that is possible with this mean: 1 for values of 0 and 1."""
    average = float(values.mean())
    possible = average * (1 - average)
    return float(values.var()) / possible if possible > ROUNDING else 1.0


def _by_sample(labelled: LabelledTrials) -> TrialsBySample:
    ordinals, positions, counts = np.unique(labelled.ordinals, return_inverse=True, return_counts=True)
    sums = np.bincount(positions, weights=labelled.labels, minlength=len(ordinals))
    return TrialsBySample("", ordinals.tolist(), counts.tolist(), sums.tolist())


def _joined(task: str, one: TrialsBySample, other: TrialsBySample) -> TrialsBySample:
    """Return the trials of both, summed by sample."""
    ordinals, positions = np.unique([*one.ordinals, *other.ordinals], return_inverse=True)
    counts = np.bincount(positions, weights=[*one.counts, *other.counts], minlength=len(ordinals)).astype(int)
    sums = np.bincount(positions, weights=[*one.sums, *other.sums], minlength=len(ordinals))
    return TrialsBySample(task, ordinals.astype(int).tolist(), counts.tolist(), sums.tolist())
