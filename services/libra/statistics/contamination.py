"""Compare the mean score on published samples with the mean on fresh ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtri

from libra.statistics.interval import CONFIDENCE
from libra.statistics.score import Interval


@dataclass(frozen=True, slots=True)
class SampleMean:
    """The mean over independent samples, each with a score in [0, 1]: the mean of its trials."""

    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A difference of two means, with its interval at 95 %, and at the level that holds for several gaps together."""

    value: float
    interval: Interval
    simultaneous: Interval

    @property
    def is_flagged(self) -> bool:
        """Whether the simultaneous interval excludes 0."""
        return self.simultaneous.low > 0 or self.simultaneous.high < 0


def compare_means(released: SampleMean, fresh: SampleMean, gaps: int) -> Gap:
    """Return released - fresh, one of `gaps` differences that are looked at together.

    The interval is the hybrid score interval of two independent proportions (Newcombe 1998, "Interval estimation for
    the difference between independent proportions", Statistics in Medicine 17, method 10): with Wilson's intervals
    (l, u) of both means, the lower end is d - sqrt((r - l_r)^2 + (u_f - f)^2). A mean of scores in [0, 1] varies at
    most as much as a proportion of the same value, so that it covers at least as often. The simultaneous interval has
    the level 1 - 0.05 / gaps (Bonferroni): the probability that any true gap of 0 is flagged is at most 5 %.
    """
    value = released.value - fresh.value
    return Gap(
        value,
        _difference(released, fresh, 1 - CONFIDENCE),
        _difference(released, fresh, (1 - CONFIDENCE) / max(gaps, 1)),
    )


def mean_gap(parts: Sequence[Gap]) -> Gap:
    """Return the unweighted mean of independent gaps.

    On each side the half-width is the root of the sum of the squared half-widths, divided by the number of gaps (MOVER:
    Zou and Donner 2008, Statistics in Medicine 27).
    """
    value = math.fsum(part.value for part in parts) / len(parts)
    intervals = [
        Interval(
            value - math.hypot(*(part.value - ends.low for part, ends in zip(parts, sides, strict=True))) / len(parts),
            value + math.hypot(*(ends.high - part.value for part, ends in zip(parts, sides, strict=True))) / len(parts),
        )
        for sides in ([part.interval for part in parts], [part.simultaneous for part in parts])
    ]
    return Gap(value, *intervals)


def wilson(mean: SampleMean, alpha: float) -> Interval:
    """Return Wilson's interval of a mean at the level 1 - alpha (Wilson 1927)."""
    z, n, share = float(ndtri(1 - alpha / 2)), mean.n, mean.value
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(max(share * (1 - share), 0.0) / n + z**2 / (4 * n**2))
    return Interval(max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def _difference(one: SampleMean, other: SampleMean, alpha: float) -> Interval:
    first, second, value = wilson(one, alpha), wilson(other, alpha), one.value - other.value
    return Interval(
        value - math.hypot(one.value - first.low, second.high - other.value),
        value + math.hypot(first.high - one.value, other.value - second.low),
    )
