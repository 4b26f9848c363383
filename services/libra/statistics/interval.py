"""Intervals at 95 %.

A score near 1 on twenty samples has no normal error. Its interval is Wilson's, with the number of independent samples that
would give the score its standard error (Korn and Graubard 1998), so it stays in [0, 1] and has a width even where every
sample scored the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri

from libra.statistics.influence import Score, covariance

LEVEL = 0.95
Z = float(ndtri((1 + LEVEL) / 2))
TRUST = 1.0
"""Events (scores on the rarer side) that a standard error must stand on to count as much as the binomial one."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends belong to it."""

    low: float
    high: float


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
        plain = normal(value, standard_error)
        return Interval(max(0.0, plain.low), min(1.0, plain.high))
    effective = _effective(value, standard_error**2, n)
    return wilson(value * effective, effective)


def of(score: Score) -> Interval | None:
    """Return the interval of a score made by influence, balance or misclassification; None if its error cannot be told.

    What samples add to the error makes Wilson's interval, what else adds to it a normal one; both are added as the squares
    of their half-widths, on each side (MOVER: Zou and Donner 2008).
    """
    if score.standard_error is None or score.limits is not None:
        return score.limits
    blocks = score.blocks.values()
    variance = math.fsum(block.variance for block in blocks if block.clusters)
    other = Z**2 * math.fsum(block.variance for block in blocks if not block.clusters)
    spread = math.fsum(block.weight**2 / block.clusters for block in blocks if block.clusters)
    by_samples = Interval(score.value, score.value)
    if spread > 0:
        effective = _effective(score.value, variance, 1 / spread)
        by_samples = wilson(score.value * effective, effective)
    return Interval(
        max(0.0, score.value - math.sqrt((score.value - by_samples.low) ** 2 + other)),
        min(1.0, score.value + math.sqrt((by_samples.high - score.value) ** 2 + other)),
    )


def of_difference(a: Score, b: Score) -> Interval | None:
    """Return the interval of a - b by those of a and b and their correlation (Newcombe 1998; Zou and Donner 2008)."""
    one, other = of(a), of(b)
    if one is None or other is None:
        return None
    gap, shared = a.value - b.value, correlation(a, b)
    return Interval(
        gap - facing(a.value - one.low, other.high - b.value, shared),
        gap + facing(one.high - a.value, b.value - other.low, shared),
    )


def facing(down: float, up: float, shared: float) -> float:
    """Return how far a difference reaches if one score reaches `down`, the other `up`, and they are correlated."""
    return math.sqrt(max(0.0, down**2 + up**2 - 2 * shared * down * up))


def correlation(a: Score, b: Score) -> float:
    """Return the correlation of two scores' errors; 0 where one has none."""
    product = (a.standard_error or 0.0) * (b.standard_error or 0.0)
    return min(1.0, max(-1.0, covariance(a, b) / product)) if product > 0 else 0.0


def _effective(value: float, variance: float, n: float) -> float:
    """Return how many independent samples of 0 and 1 would give the score its variance.

    That is v (1 - v) / variance. Close to 0 and 1 the variance stands on few events, and on none at the ends. So it is
    averaged with the binomial one, v (1 - v) / n, by the number of events n v (1 - v) against TRUST.
    """
    events = n * value * (1 - value)
    return (events + TRUST) / (n * variance + TRUST / n)
