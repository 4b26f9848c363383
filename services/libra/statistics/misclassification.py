"""Corrects a score for the errors of its judge."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from libra.statistics.influence import mean, mean_from_sums, transform, unsampled_error
from libra.statistics.score import Influences, Score, TrialsBySample


@dataclass(frozen=True, slots=True)
class JudgeRates:
    """A judge's sensitivity and specificity, measured against the labels of people. Positive means a score of 1."""

    sensitivity: float
    """The share of answers labelled positive that the judge calls positive."""

    specificity: float
    """The share of answers labelled negative that the judge calls negative."""

    positives: int
    """The number of answers labelled positive, from which sensitivity is computed."""

    negatives: int
    """The number of answers labelled negative, from which specificity is computed."""

    @property
    def informedness(self) -> float:
        """J = sensitivity + specificity - 1: 0 for a judge that is no better than chance."""
        return self.sensitivity + self.specificity - 1


@dataclass(frozen=True, slots=True)
class FilteredTrials:
    """The FILTERED trials of a task: they have a score, but the judge did not give it."""

    counts: Sequence[int]
    """Their number, for each sample of the task in its order."""

    sums: Sequence[float]
    """The sum of their scores."""


def rogan_gladen(score: Score, rates: JudgeRates, judge: str) -> Score | None:
    """Return the mean corrected for the judge's errors; None if the judge is no better than chance.

    p = (q + specificity - 1) / J, with q the observed mean and J = sensitivity + specificity - 1 (Rogan and Gladen
    1978); None if J <= 0. p may lie outside [0, 1]: a mean of such scores is unbiased, and is cut by `limited`
    afterwards. Cut one by one, scores near 1 would all be moved the same way.

    The standard error includes those of q and of both rates, whose derivatives are -p / J for sensitivity and
    (1 - p) / J for specificity. All scores by the same `judge` (name and version) share the errors of its rates, so
    that these cancel in the difference of two equal scores.
    """
    if rates.informedness <= 0:
        return None
    value = (score.value + rates.specificity - 1) / rates.informedness
    return _add_rate_errors(transform(value, [(score, 1 / rates.informedness)]), value, 1.0, rates, judge)


def correct_trials(trials: TrialsBySample, filtered: FilteredTrials, rates: JudgeRates, judge: str) -> Score | None:
    """Return the mean over the trials, of which only those that the judge scored are corrected.

    The judge scored the share w with the mean q, which is corrected to p as by `rogan_gladen`. The score is w p +
    (1 - w) times the mean of the FILTERED trials: the mean of (x + specificity - 1) / J for the scored trials and of x
    for the others, from which its error is clustered by sample.

    None if the judge is no better than chance, or without trials.
    """
    counts, sums = np.asarray(trials.counts), np.asarray(trials.sums)
    judged = counts - np.asarray(filtered.counts)
    judged_sums = sums - np.asarray(filtered.sums)
    n, judged_n = int(counts.sum()), int(judged.sum())
    if rates.informedness <= 0 or n == 0:
        return None
    corrected = (judged_sums + judged * (rates.specificity - 1)) / rates.informedness
    values = TrialsBySample(trials.task, trials.ordinals, trials.counts, (corrected + filtered.sums).tolist())
    share = judged_n / n
    score = mean(values, _weight(share, rates))
    judged_value = float(corrected.sum()) / judged_n if judged_n else 0.0
    return score and _add_rate_errors(score, judged_value, share, rates, judge)


def correct_sums(
    n: int, total: float, filtered: int, filtered_sum: float, rates: JudgeRates, judge: str
) -> Score | None:
    """Return the same as `correct_trials` from sums of scores that are 0 or 1, as if all trials were independent."""
    if rates.informedness <= 0 or n == 0:
        return None
    judged, positives = n - filtered, total - filtered_sum
    low, high = (rates.specificity - 1) / rates.informedness, rates.specificity / rates.informedness
    corrected = positives * high + (judged - positives) * low
    squares = positives * high**2 + (judged - positives) * low**2 + filtered_sum
    share = judged / n
    score = mean_from_sums(n, corrected + filtered_sum, squares, _weight(share, rates), total / n)
    return score and _add_rate_errors(score, corrected / judged if judged else 0.0, share, rates, judge)


def _weight(judged_share: float, rates: JudgeRates) -> float:
    """Return the change of a corrected mean if every trial scored 1 more."""
    return judged_share / rates.informedness + 1 - judged_share


def _add_rate_errors(score: Score, judged_value: float, judged_share: float, rates: JudgeRates, judge: str) -> Score:
    """Return a corrected score with the errors of the judge's rates, which act on the share that the judge scored."""
    share = min(1.0, max(0.0, judged_value))
    gradient = judged_share / rates.informedness
    sensitivity = unsampled_error(_rate_error(rates.sensitivity, rates.positives)).scaled(-share * gradient)
    specificity = unsampled_error(_rate_error(rates.specificity, rates.negatives)).scaled((1 - share) * gradient)
    extra: dict[Hashable, Influences] = {(judge, "sensitivity"): sensitivity, (judge, "specificity"): specificity}
    return transform(score.value, [(score, 1.0)], extra)


def unequal_rates_gaps(value: float, rates: JudgeRates, spread: float) -> tuple[float, float]:
    """Return how far two models of the same true share come apart if the judge's errors differ between them.

    Both are corrected by `rates`, from an observed mean of `value`. The first gap is for sensitivities that differ by
    `spread`, p spread / J; the second for specificities, (1 - p) spread / J. p is the corrected mean, cut to [0, 1].
    """
    share = min(1.0, max(0.0, (value + rates.specificity - 1) / rates.informedness))
    return share * spread / rates.informedness, (1 - share) * spread / rates.informedness


def _rate_error(rate: float, n: int) -> float:
    """Return the standard error of a rate of `n` answers, above 0 even for a rate of 0 or 1.

    One answer of each kind is added (Lang and Reiczigel 2014, "Confidence limits for prevalence of disease adjusted for
    estimated sensitivity and specificity", Preventive Veterinary Medicine 113).
    """
    share = (rate * n + 1) / (n + 2)
    return math.sqrt(share * (1 - share) / (n + 2))
