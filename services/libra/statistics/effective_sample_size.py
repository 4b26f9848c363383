"""The effective sample size: how many independent samples of 0 and 1 would give a score its standard error.

For a score v it is v (1 - v) / variance (Kish 1965; Korn and Graubard 1998, "Confidence intervals for proportions with
small expected number of positive counts estimated from survey data", Survey Methodology 24). Close to 0 and 1, and for
tasks of twenty samples, the variance itself is hardly known: it is 0 where every sample scored 1. The correction for
that was chosen by simulation (tests/unit/statistics/test_coverage.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtri, stdtrit

from libra.statistics.score import Influences

UPPER_QUANTILE = 0.975
"""The quantile at the upper end of a two-sided 95 % interval."""

BINOMIAL_EVENTS = 0.25
"""The weight of the binomial variance v (1 - v) / n in the average with the estimated one, which weighs its events."""

EXTRA_EVENTS = 2.0
"""Added to the events when degrees of freedom are computed, because a variance and its score depend on each other."""

MAX_INFLATION = 2.0
"""The largest factor k / (k - 1) of a variance estimate, that for two samples."""

ROUNDING = 1e-9
"""Above the rounding error in the deviations of equal scores, and in the difference between equal weights."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence of the samples on the variance of a score.

    An event is a sample that differs from the others, such as a failure among successes.
    """

    variance: float
    """The variance by the influences of the samples, in units of the squared score."""

    n: float
    """The effective sample size by weights alone, 1 / sum of squared weights (Kish 1965)."""

    weighted_events: float
    """The number of events, reduced where samples have unequal weights."""

    events: float
    """The number of events, each counted as one."""

    max_weight: float
    """The largest weight of a sample."""


def evidence_of(influences: Sequence[Influences]) -> Evidence | None:
    """Return what the samples say about the variance of a score; None if all its error comes from no sample.

    Of a task with weight W and k samples, each sample has weight c = W / k and deviates by e = influence / c from the
    task's mean. For N samples in total, the number of events is (sum e^2)^2 / sum e^4. With unequal weights it is
    multiplied by (sum c^2)^2 / (N sum c^4).
    """
    sampled = [each for each in influences if each.clusters and each.weight]
    if not sampled:
        return None
    size = spread = peak = max_weight = variance = second = fourth = 0.0
    for each in sampled:
        c, squares = each.weight / each.clusters, each.values**2
        size += each.clusters
        spread += each.clusters * c**2
        peak += each.clusters * c**4
        max_weight = max(max_weight, abs(c))
        variance += each.variance
        second += each.variance / c**2
        fourth += float(squares @ squares) / c**4
    # Equal scores leave a rounding error, which is not an event.
    events = second**2 / fourth if second > ROUNDING**2 else 0.0
    return Evidence(variance, 1 / spread, events * spread**2 / (size * peak), events, max_weight)


def effective_samples(value: float, evidence: Evidence) -> tuple[float, float]:
    """Return the effective sample size (above 0) of a score in [0, 1], and the variance beyond the possible.

    The variance is averaged with the binomial one; the weights are the weighted events and BINOMIAL_EVENTS. If weights
    are unequal, few samples determine the variance. Then the size is multiplied by (z / t)^2, as Korn and Graubard do.
    The degrees of freedom of t follow from how far the error of the variance exceeds that under equal weights,
    1 / df = (1 / (weighted events + 2) - 1 / (events + 2)) / 2.

    The variance of a mean of scores in [0, 1] is at most its largest weight times v (1 - v) (Bhatia and Davis 2000).
    An estimate from k samples may exceed this by k / (k - 1). What exceeds even that comes from a correction, which
    stretches errors but not the range. It is the second figure.
    """
    binomial = max(0.0, value * (1 - value))
    largest = MAX_INFLATION * evidence.max_weight * binomial
    rest = max(0.0, evidence.variance - largest)
    if binomial == 0:
        return evidence.n, rest
    estimated = evidence.weighted_events * min(evidence.variance, largest)
    variance = (estimated + BINOMIAL_EVENTS * binomial / evidence.n) / (evidence.weighted_events + BINOMIAL_EVENTS)
    excess = 1 / (evidence.weighted_events + EXTRA_EVENTS) - 1 / (evidence.events + EXTRA_EVENTS)
    if excess < ROUNDING:
        return binomial / variance, rest
    return binomial / variance * float(ndtri(UPPER_QUANTILE) / stdtrit(2 / excess, UPPER_QUANTILE)) ** 2, rest
