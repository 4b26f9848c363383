"""Intervals at 95 %.

A score near 1 on twenty samples has no normal error. Its interval is Wilson's, with the number of independent samples that
would give the score its standard error (Korn and Graubard 1998), so it stays in [0, 1] and has a width even where every
sample scored the same.
"""

from __future__ import annotations

import math

from scipy.special import ndtri

from libra.statistics.effective_sample_size import UPPER, Evidence, evidence, samples
from libra.statistics.influence import covariance
from libra.statistics.score import Interval, Score

LEVEL = 0.95
Z = float(ndtri(UPPER))


def wilson(successes: float, n: float) -> Interval:
    """Return the score interval of a proportion (Wilson 1927); n may be a number of effective samples, and is above 0."""
    share = successes / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    # At 0 and 1 the end is the share itself; what is left of rounding would put it on the wrong side.
    return Interval(max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def normal(value: float, standard_error: float) -> Interval:
    """Return value -+ 1.96 standard errors. Not cut off anywhere: a difference may lie on either side of 0."""
    return Interval(value - Z * standard_error, value + Z * standard_error)


def score(value: float, standard_error: float, n: float) -> Interval:
    """Return the interval of a mean in [0, 1] over `n` independent samples; n = 0: a figure whose samples are not known."""
    if n == 0:
        return _cut(value, Interval(value, value), standard_error**2)
    events = n * value * (1 - value)
    return _sampled(value, Evidence(standard_error**2, n, events, events, 1 / n), 0.0)


def of_score(score: Score) -> Interval | None:
    """Return the interval of a score made by influence, balance or misclassification; None if its error cannot be told.

    What samples add to the error makes Wilson's interval, what else adds to it a normal one. On each side the squares of
    both half-widths are added (MOVER: Zou and Donner 2008, "Construction of confidence limits about effect measures",
    Statistics in Medicine 27). A difference gets the normal one; see of_difference for a better.
    """
    if score.standard_error is None or score.limits is not None:
        return score.limits
    if score.signed:
        return normal(score.value, score.standard_error)
    blocks = list(score.blocks.values())
    noise = math.fsum(block.variance for block in blocks if not block.clusters)
    known = evidence(blocks)
    if known is None:
        return _cut(score.value, Interval(score.value, score.value), noise)
    return _sampled(score.value, known, noise)


def _sampled(value: float, known: Evidence, noise: float) -> Interval:
    effective, rest = samples(value, known)
    return _cut(value, wilson(value * effective, effective), noise + rest)


def _cut(value: float, ends: Interval, variance: float) -> Interval:
    """Return the interval widened by a normal error of this variance, and cut off at 0 and 1."""
    low = value - math.sqrt((value - ends.low) ** 2 + Z**2 * variance)
    high = value + math.sqrt((ends.high - value) ** 2 + Z**2 * variance)
    return Interval(max(0.0, low), min(1.0, high))


def of_difference(a: Score, b: Score) -> Interval | None:
    """Return the interval of a - b by those of a and b and their correlation; None if the error of one cannot be told.

    Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on paired data",
    Statistics in Medicine 17, method 8; in general Zou and Donner 2008. It has a width even where no sample differs.
    """
    one, other = of_score(a), of_score(b)
    if one is None or other is None:
        return None
    gap, shared = a.value - b.value, correlation(a, b)
    return Interval(
        gap - facing(a.value - one.low, other.high - b.value, shared),
        gap + facing(one.high - a.value, b.value - other.low, shared),
    )


def facing(down: float, up: float, shared: float) -> float:
    """Return how far a difference reaches if one score reaches `down`, the other `up`, and their correlation is `shared`."""
    return math.sqrt(max(0.0, down**2 + up**2 - 2 * shared * down * up))


def correlation(a: Score, b: Score) -> float:
    """Return the correlation of two scores' errors; 0 where one has none."""
    product = (a.standard_error or 0.0) * (b.standard_error or 0.0)
    return min(1.0, max(-1.0, covariance(a, b) / product)) if product > 0 else 0.0
