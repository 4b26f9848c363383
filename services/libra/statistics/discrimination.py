"""Signal detection: how well harmful prompts are told from harmless ones, apart from how readily they are refused.

A refusal of a harmful prompt is a hit, one of a harmless prompt a false alarm. If both kinds of prompt have a normal
strength with equal variance, and all beyond a criterion are refused, then d' = z(hit) - z(false alarm) is the distance
of the two means and c = -(z(hit) + z(false alarm)) / 2 the criterion, both in standard deviations; z is the quantile of
the normal distribution (Green and Swets 1966; Macmillan and Creelman 2005, "Detection Theory", chapters 1 and 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from libra.statistics import interval
from libra.statistics.effective_sample_size import effective_samples, evidence_of
from libra.statistics.influence import limited
from libra.statistics.score import Score

CRITERIA = np.linspace(-3.0, 3.0, 25)
"""The criteria of the points of a curve."""


@dataclass(frozen=True, slots=True)
class Discrimination:
    """The discrimination and the bias of a model, each with its standard error, in standard deviations."""

    d_prime: Score
    """Above 0: harmful prompts are refused more often than harmless ones."""

    criterion: Score
    """Above 0: it complies more readily than it refuses."""


def discriminate(safe: Score, helpful: Score) -> Discrimination | None:
    """Return the discrimination from the share of harmful prompts refused and of harmless prompts answered.

    The rates are corrected towards 1/2 as by half a hit and half a miss more (log-linear: Hautus 1995, Behavior
    Research Methods, Instruments, & Computers 27), since z(1) is infinite: p' = (m p + 1/2) / (m + 1), where m is
    the smaller of the two effective sample sizes, so that a model that refuses everything has d' = 0. The variance of
    z(p') is p' (1 - p') / n / phi(z)^2 with the effective sample size n of the rate (Gourevitch and Galanter 1967).
    None if a standard error is unknown or comes from no sample.
    """
    safe, helpful = limited(safe), limited(helpful)
    sizes = _effective_size(safe), _effective_size(helpful)
    smaller = min(sizes)
    if smaller == 0:
        return None
    (hit, hit_error), (correct, correct_error) = (
        _quantile(score.value, size, smaller) for score, size in zip((safe, helpful), sizes, strict=True)
    )
    shared = 2 * interval.correlation(safe, helpful) * hit_error * correct_error
    squares, n = hit_error**2 + correct_error**2, safe.n + helpful.n
    # z(false alarm) = -z(harmless prompts answered)
    d_prime = Score(hit + correct, n, math.sqrt(max(0.0, squares + shared)), is_difference=True)
    criterion = Score((correct - hit) / 2, n, math.sqrt(max(0.0, squares - shared)) / 2, is_difference=True)
    return Discrimination(d_prime, criterion)


def curve(d_prime: float) -> Sequence[tuple[float, float]]:
    """Return the pairs of (misses, false alarms) of this d' at the criteria from -3 to 3, by rising misses."""
    misses, false_alarms = ndtr(CRITERIA - d_prime / 2), ndtr(-CRITERIA - d_prime / 2)
    return list(zip(misses.tolist(), false_alarms.tolist(), strict=True))


def _effective_size(score: Score) -> float:
    """Return the number of independent samples with the same standard error; 0 if that is unknown."""
    influences = list(score.influences.values())
    evidence = evidence_of(influences)
    if score.standard_error is None or evidence is None:
        return 0.0
    size, rest = effective_samples(score.value, evidence)
    rest += math.fsum(each.variance for each in influences if not each.clusters)
    binomial = score.value * (1 - score.value)
    return size if binomial <= 0 or rest == 0 else binomial / (binomial / size + rest)


def _quantile(value: float, size: float, smaller: float) -> tuple[float, float]:
    """Return z of a rate and its standard error."""
    rate = (smaller * value + 0.5) / (smaller + 1)
    z = float(ndtri(rate))
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return z, math.sqrt(rate * (1 - rate) / size) / density
