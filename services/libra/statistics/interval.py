"""Intervals at 95 %.

The error of a score near 1 on twenty samples is not normal. Its interval is Wilson's, for the effective sample size
that gives the score its standard error (Korn and Graubard 1998). Such an interval stays in [0, 1], and has a width even
if every sample scored the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtr, ndtri, stdtrit

from libra.statistics.effective_sample_size import (
    UPPER_QUANTILE,
    Evidence,
    degrees_of_freedom,
    effective_samples,
    equal_samples,
    evidence_of,
)
from libra.statistics.influence import covariance, limited
from libra.statistics.score import Interval, Score

CONFIDENCE = 0.95
"""The probability with which an interval contains the true value."""

Z = float(ndtri(UPPER_QUANTILE))
"""The half-width of a normal 95 % interval in standard errors: 1.96."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The uncertainty of a score, from which its interval follows at any confidence."""

    value: float
    """The score."""

    size: float = 0.0
    """The effective number of samples; 0 if no part of the error comes from samples."""

    variance: float = 0.0
    """The variance of the part of the error that is normal."""

    precomputed: Interval | None = None
    """The 95 % interval of a score whose interval has no formula. At other confidences, its sides are scaled."""

    is_limited: bool = True
    """Whether the score cannot be outside [0, 1]; a difference can."""

    def ends(self, z: float) -> Interval:
        """Return the interval whose half-width would be `z` standard errors if the error were normal."""
        value = self.value
        if self.precomputed is not None:
            low = value - (value - self.precomputed.low) * z / Z
            high = value + (self.precomputed.high - value) * z / Z
            return _in_unit_interval(low, high)
        sampled = wilson(value * self.size, self.size, z) if self.size else Interval(value, value)
        low = value - math.sqrt((value - sampled.low) ** 2 + z**2 * self.variance)
        high = value + math.sqrt((sampled.high - value) ** 2 + z**2 * self.variance)
        return _in_unit_interval(low, high) if self.is_limited else Interval(low, high)


@dataclass(frozen=True, slots=True)
class DifferenceSpread:
    """The uncertainty of the difference of two scores."""

    one: Spread
    other: Spread
    shared: float
    """The correlation of their errors."""

    freedom: float = math.inf
    """The degrees of freedom of its variance; infinity for a normal quantile."""

    @property
    def value(self) -> float:
        """The difference."""
        return self.one.value - self.other.value

    def ends(self, z: float) -> Interval:
        """Return the interval whose half-width would be `z` standard errors if the error were normal.

        Where few samples decide on the variance, a quantile of Student's t takes the place of `z`.
        """
        if math.isfinite(self.freedom):
            z = -float(stdtrit(self.freedom, ndtr(-z)))
        one, other = self.one.ends(z), self.other.ends(z)
        a, b = self.one.value, self.other.value
        return Interval(
            self.value - half_width(a - one.low, other.high - b, self.shared),
            self.value + half_width(one.high - a, b - other.low, self.shared),
        )


def wilson(successes: float, n: float, z: float = Z) -> Interval:
    """Return the score interval of a proportion (Wilson 1927). `n` is above 0 and may be an effective sample size."""
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
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
        return Spread(value, variance=standard_error**2).ends(Z)
    return _from_evidence(value, equal_samples(value, standard_error, n), 0.0).ends(Z)


def of_score(score: Score) -> Interval | None:
    """Return the interval of a score; None if its standard error is unknown.

    The error that comes from samples gives Wilson's interval, the rest a normal one. On each side, the half-width is
    the root of the sum of both squared half-widths (MOVER: Zou and Donner 2008, "Construction of confidence limits
    about effect measures", Statistics in Medicine 27). A difference gets a normal interval; of_difference gives a
    better one.
    """
    spread = spread_of(score)
    if spread is None or score.precomputed_interval is not None:
        return score.precomputed_interval
    return spread.ends(Z)


def spread_of(score: Score) -> Spread | None:
    """Return what the interval of a score follows from at any confidence; None if its standard error is unknown."""
    if score.precomputed_interval is not None:
        return Spread(score.value, precomputed=score.precomputed_interval)
    if score.standard_error is None:
        return None
    if score.is_difference:
        return Spread(score.value, variance=score.standard_error**2, is_limited=False)
    score = limited(score)
    influences = list(score.influences.values())
    unsampled = math.fsum(each.variance for each in influences if not each.clusters)
    evidence = evidence_of(influences)
    if evidence is None:
        return Spread(score.value, variance=unsampled)
    return _from_evidence(score.value, evidence, unsampled)


def of_difference(a: Score, b: Score) -> Interval | None:
    """Return the interval of a - b from the intervals of both and their correlation; None if one has no interval.

    Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on paired data",
    Statistics in Medicine 17, method 8; in general Zou and Donner 2008. It has a width even if no sample differs. For
    tasks of different sizes, the quantile is that of Student's t (see degrees_of_freedom).
    """
    spread = spread_of_difference(a, b)
    return spread.ends(Z) if spread else None


def spread_of_difference(a: Score, b: Score) -> DifferenceSpread | None:
    """Return what the interval of a - b follows from at any confidence; None if one has no interval."""
    one, other = spread_of(a), spread_of(b)
    if one is None or other is None:
        return None
    return DifferenceSpread(one, other, correlation(a, b), degrees_of_freedom(a.influences, b.influences))


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


def _from_evidence(value: float, evidence: Evidence, unsampled: float) -> Spread:
    size, rest = effective_samples(value, evidence)
    return Spread(value, size, unsampled + rest)


def _in_unit_interval(low: float, high: float) -> Interval:
    return Interval(max(0.0, low), min(1.0, high))
