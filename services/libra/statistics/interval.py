"""Intervals at 95 %.

The error of a score near 1 on twenty samples is not normal. Its interval is Wilson's, for the effective sample size
that gives the score its standard error (Korn and Graubard 1998). Such an interval stays in [0, 1], and has a width even
if every sample scored the same.
"""

from __future__ import annotations

import math

from scipy.special import ndtri

from libra.statistics.effective_sample_size import UPPER_QUANTILE, Evidence, effective_samples, evidence_of
from libra.statistics.influence import covariance
from libra.statistics.score import Interval, Score

CONFIDENCE = 0.95
"""The probability with which an interval contains the true value."""

Z = float(ndtri(UPPER_QUANTILE))
"""The half-width of a normal 95 % interval in standard errors: 1.96."""


def wilson(successes: float, n: float) -> Interval:
    """Return the score interval of a proportion (Wilson 1927). `n` is above 0 and may be an effective sample size."""
    share = successes / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    # At 0 and 1 the end equals the share. A rounding error must not put it on the wrong side.
    return Interval(max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def normal(value: float, standard_error: float) -> Interval:
    """Return value -+ 1.96 standard errors, without a limit on the ends: a difference may lie on either side of 0."""
    return Interval(value - Z * standard_error, value + Z * standard_error)


def of_mean(value: float, standard_error: float, n: float) -> Interval:
    """Return the interval of a mean in [0, 1] over `n` independent samples.

    With n = 0, the number of samples is unknown and the interval is normal, limited to [0, 1].
    """
    if n == 0:
        return _widened(value, Interval(value, value), standard_error**2)
    events = n * value * (1 - value)
    return _from_evidence(value, Evidence(standard_error**2, n, events, events, 1 / n), 0.0)


def of_score(score: Score) -> Interval | None:
    """Return the interval of a score; None if its standard error is unknown.

    The error that comes from samples gives Wilson's interval, the rest a normal one. On each side, the half-width is
    the root of the sum of both squared half-widths (MOVER: Zou and Donner 2008, "Construction of confidence limits
    about effect measures", Statistics in Medicine 27). A difference gets a normal interval; of_difference gives a
    better one.
    """
    if score.standard_error is None or score.precomputed_interval is not None:
        return score.precomputed_interval
    if score.is_difference:
        return normal(score.value, score.standard_error)
    influences = list(score.influences.values())
    unsampled = math.fsum(each.variance for each in influences if not each.clusters)
    evidence = evidence_of(influences)
    if evidence is None:
        return _widened(score.value, Interval(score.value, score.value), unsampled)
    return _from_evidence(score.value, evidence, unsampled)


def of_difference(a: Score, b: Score) -> Interval | None:
    """Return the interval of a - b from the intervals of both and their correlation; None if one has no interval.

    Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on paired data",
    Statistics in Medicine 17, method 8; in general Zou and Donner 2008. It has a width even if no sample differs.
    """
    one, other = of_score(a), of_score(b)
    if one is None or other is None:
        return None
    gap, shared = a.value - b.value, correlation(a, b)
    return Interval(
        gap - half_width(a.value - one.low, other.high - b.value, shared),
        gap + half_width(one.high - a.value, b.value - other.low, shared),
    )


def half_width(one: float, other: float, shared: float) -> float:
    """Return the half-width, on one side, of the interval of a difference of two scores.

    It is sqrt(x^2 + y^2 - 2 r x y) for the half-widths x = `one` and y = `other` of the two scores on the sides that
    face each other, and their correlation r = `shared`.
    """
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * shared * one * other))


def correlation(a: Score, b: Score) -> float:
    """Return the correlation of the errors of two scores; 0 if one has no error."""
    product = (a.standard_error or 0.0) * (b.standard_error or 0.0)
    return min(1.0, max(-1.0, covariance(a, b) / product)) if product > 0 else 0.0


def _from_evidence(value: float, evidence: Evidence, unsampled: float) -> Interval:
    size, rest = effective_samples(value, evidence)
    return _widened(value, wilson(value * size, size), unsampled + rest)


def _widened(value: float, ends: Interval, variance: float) -> Interval:
    """Return the interval widened by a normal error of this variance, and limited to [0, 1]."""
    low = value - math.sqrt((value - ends.low) ** 2 + Z**2 * variance)
    high = value + math.sqrt((ends.high - value) ** 2 + Z**2 * variance)
    return Interval(max(0.0, low), min(1.0, high))
