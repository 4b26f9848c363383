"""Corrects a score for the errors of its judge."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from libra.statistics.influence import transform, unsampled_error
from libra.statistics.score import Influences, Score


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


def rogan_gladen(score: Score, rates: JudgeRates, judge: str) -> Score | None:
    """Return the mean corrected for the judge's errors; None if the judge is no better than chance.

    p = (q + specificity - 1) / J, limited to [0, 1], with q the observed mean and J = sensitivity + specificity - 1
    (Rogan and Gladen 1978); None if J <= 0. The standard error includes those of q and of both rates, whose derivatives
    are -p / J for sensitivity and (1 - p) / J for specificity. All scores by the same `judge` (name and version) share
    the errors of its rates, so that these cancel in the difference of two equal scores.
    """
    informed = rates.sensitivity + rates.specificity - 1
    if informed <= 0:
        return None
    value = min(1.0, max(0.0, (score.value + rates.specificity - 1) / informed))
    sensitivity = unsampled_error(_rate_error(rates.sensitivity, rates.positives)).scaled(-value / informed)
    specificity = unsampled_error(_rate_error(rates.specificity, rates.negatives)).scaled((1 - value) / informed)
    extra: dict[Hashable, Influences] = {(judge, "sensitivity"): sensitivity, (judge, "specificity"): specificity}
    return transform(value, [(score, 1 / informed)], extra)


def _rate_error(rate: float, n: int) -> float:
    """Return the standard error of a rate of `n` answers, above 0 even for a rate of 0 or 1.

    One answer of each kind is added (Lang and Reiczigel 2014, "Confidence limits for prevalence of disease adjusted for
    estimated sensitivity and specificity", Preventive Veterinary Medicine 113).
    """
    share = (rate * n + 1) / (n + 2)
    return math.sqrt(share * (1 - share) / (n + 2))
