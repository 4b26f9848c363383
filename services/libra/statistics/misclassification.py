"""What a score would be if its judge made no error."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from libra.statistics.influence import noise, transform
from libra.statistics.score import Block, Score


@dataclass(frozen=True, slots=True)
class JudgeRates:
    """A judge's rates, as measured against people. Positive is a score of 1."""

    sensitivity: float
    """The share of people's positives that the judge calls positive."""

    specificity: float
    """The share of people's negatives that the judge calls negative."""

    positives: int
    """Answers that people called positive: what sensitivity stands on."""

    negatives: int
    """Answers that people called negative."""


def rogan_gladen(score: Score, errors: JudgeRates, judge: str) -> Score | None:
    """Return the corrected mean; None if the judge tells nothing (sensitivity + specificity <= 1).

    p = (q + specificity - 1) / (sensitivity + specificity - 1), cut off at 0 and 1 (Rogan and Gladen 1978). Its error is
    that of q, and that of both rates, with the derivatives -p / J and (1 - p) / J, J = sensitivity + specificity - 1. All
    scores of one `judge` (name and version) share the error of its rates: it cancels in the difference of two alike.
    """
    informed = errors.sensitivity + errors.specificity - 1
    if informed <= 0:
        return None
    value = min(1.0, max(0.0, (score.value + errors.specificity - 1) / informed))
    sensitivity = noise(_rate_error(errors.sensitivity, errors.positives)).scaled(-value / informed)
    specificity = noise(_rate_error(errors.specificity, errors.negatives)).scaled((1 - value) / informed)
    extra: dict[Hashable, Block] = {(judge, "sensitivity"): sensitivity, (judge, "specificity"): specificity}
    return transform(value, [(score, 1 / informed)], extra)


def _rate_error(rate: float, n: int) -> float:
    """Return a rate's standard error with one more answer of each kind, so that a rate of 1 has one too.

    Lang and Reiczigel 2014, "Confidence limits for prevalence of disease adjusted for estimated sensitivity and
    specificity", Preventive Veterinary Medicine 113.
    """
    share = (rate * n + 1) / (n + 2)
    return math.sqrt(share * (1 - share) / (n + 2))
