"""Tests whether a score, or a difference of two, is above or below a limit, and how many samples such a test needs.

The p of a side is the level at which the end of the interval of that side meets the limit. Interval and test therefore
never disagree: p <= alpha exactly if the interval at 1 - 2 alpha lies on one side of the limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import ndtr, ndtri

from libra.statistics.effective_sample_size import evidence_of
from libra.statistics.interval import DifferenceSpread, Spread, spread_of_difference, wilson
from libra.statistics.score import Interval, Score

MAX_Z = 8.0
"""At more standard errors, p is below 1e-15 and taken as that."""

STEPS = 60
"""The most steps of a search for z; about six suffice."""

TOLERANCE = 1e-9
"""The largest distance, in units of the score, at which the end of an interval has met a limit."""

MAX_MORE_SAMPLES = 10_000_000
"""A test that needs more is not worth planning."""


@dataclass(frozen=True, slots=True)
class PairedSpread:
    """The uncertainty of a difference on shared samples, for tests against limits near 0.

    Where few samples differ, the interval of Newcombe is too narrow: with none it has hardly a width, although three
    in a hundred samples may differ unseen. A difference of scores of 0 and 1 with the mean D has at least the variance
    |D| (1 - |D|), that of changes in one direction only. By this variance the interval is Wilson's of |D|. The interval
    reaches as far as either of the two. For scores between 0 and 1, it is wider than necessary.
    """

    difference: DifferenceSpread
    samples: float
    """The effective number of samples by their weights."""

    @property
    def value(self) -> float:
        """The difference."""
        return self.difference.value

    def ends(self, z: float) -> Interval:
        """Return the interval whose half-width would be `z` standard errors if the error were normal."""
        paired, value = self.difference.ends(z), self.value
        share = wilson(abs(value) * self.samples, self.samples, z)
        if value == 0:
            one_sided = Interval(-share.high, share.high)
        else:
            one_sided = share if value > 0 else Interval(-share.high, -share.low)
        return Interval(min(paired.low, one_sided.low), max(paired.high, one_sided.high))


AnySpread = Spread | DifferenceSpread | PairedSpread


def spread_of_drop(one: Score, other: Score) -> AnySpread | None:
    """Return the uncertainty of one - other, on the same samples; None if it is unknown."""
    spread = spread_of_difference(one, other)
    evidence = evidence_of(list(one.influences.values()))
    return PairedSpread(spread, evidence.n) if spread and evidence else spread


@dataclass(frozen=True, slots=True)
class LimitTest:
    """Both one-sided tests of a value against a limit."""

    spread: AnySpread
    limit: float
    p_below: float
    """p of the hypothesis that the true value is at least the limit: a small one is evidence that it is below."""

    p_above: float
    """p of the hypothesis that the true value is below the limit: a small one is evidence that it is at least that."""

    def interval(self, alpha: float) -> Interval:
        """Return the interval at 1 - 2 alpha: each end is exceeded with the probability alpha."""
        return self.spread.ends(upper_quantile(alpha))


def compare_limit(spread: AnySpread, limit: float) -> LimitTest:
    """Return both tests of a score or difference against a limit."""
    z = _z_at(spread, limit)
    # The side on which the estimate lies is decided by its own end; the other test is far from significant.
    p = float(ndtr(-z))
    below, above = (1.0 - p, p) if spread.value >= limit else (p, 1.0 - p)
    return LimitTest(spread, limit, below, above)


def upper_quantile(alpha: float) -> float:
    """Return the z which a normal deviate exceeds with the probability `alpha`."""
    return float(-ndtri(alpha))


def more_samples(test: LimitTest, samples: int, alpha: float, power: float = 0.8) -> int | None:
    """Return about how many samples more show on which side of the limit the value lies, with this power.

    A test at the one-sided level `alpha` needs n = (z(1 - alpha) + z(power))^2 s^2 / d^2 samples for a distance d
    between the true value and the limit, and a standard error s / sqrt(n) (Chow, Shao, Wang 2008, "Sample Size
    Calculations in Clinical Research", section 3.1). d is the estimated distance, and s / sqrt(n) now is the reach of
    the interval towards the limit over z. None if the estimate is at the limit, or if too many are needed.
    """
    distance = abs(test.spread.value - test.limit)
    if distance == 0 or samples == 0:
        return None
    z, ends = upper_quantile(alpha), test.interval(alpha)
    value = test.spread.value
    reach = value - ends.low if value > test.limit else ends.high - value
    factor = (reach / z * (z + float(ndtri(power))) / distance) ** 2
    needed = math.ceil(samples * (factor - 1)) if factor < MAX_MORE_SAMPLES else MAX_MORE_SAMPLES + 1
    return max(1, needed) if needed <= MAX_MORE_SAMPLES else None


def _z_at(spread: AnySpread, limit: float) -> float:
    """Return the z at which the end of the interval meets the limit; at most MAX_Z."""
    is_above = spread.value >= limit

    def clearance(z: float) -> float:
        ends = spread.ends(z)
        return ends.low - limit if is_above else limit - ends.high

    return _find_zero(clearance, MAX_Z)


def _find_zero(function: Callable[[float], float], high: float) -> float:
    """Return where a function that falls from above 0 is 0; at most `high`.

    It is found by false position with the step of Illinois (Dowell, Jarratt 1971, BIT 11, 168).
    """
    low, at_low, at_high = 0.0, function(0.0), function(high)
    if at_low <= 0 or at_high >= 0:
        return low if at_low <= 0 else high
    was_above: bool | None = None
    for _ in range(STEPS):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        found = function(middle)
        if abs(found) < TOLERANCE:
            return middle
        # The end that stays a second time has half its value: otherwise it might stay forever.
        if found > 0:
            low, at_low, at_high = middle, found, at_high / 2 if was_above is True else at_high
        else:
            high, at_high, at_low = middle, found, at_low / 2 if was_above is False else at_low
        was_above = found > 0
    return low
