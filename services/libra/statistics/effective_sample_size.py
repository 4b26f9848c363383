"""The effective sample size: how many independent samples of 0 and 1 would give a score its standard error.

For a score v it is v (1 - v) / variance (Kish 1965; Korn and Graubard 1998, "Confidence intervals for proportions with
small expected number of positive counts estimated from survey data", Survey Methodology 24). Close to 0 and 1, and for
tasks of twenty samples, the variance itself is hardly known: it is 0 where every sample scored 1. The correction for
that was chosen by simulation (tests/unit/statistics/test_coverage.py).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from libra.statistics.score import Influences

UPPER_QUANTILE = 0.975
"""The quantile at the upper end of a two-sided 95 % interval."""

BINOMIAL_EVENTS = 0.25
"""The weight of the binomial variance v (1 - v) / n in the average with the estimated one, which weighs its events."""

MAX_INFLATION = 2.0
"""The largest factor k / (k - 1) of a variance estimate, that for two samples."""

EXTRA_FREEDOM, MIN_FREEDOM = 2.0, 8.0
"""Of the variance of a task of k samples: k + 2 degrees of freedom, and at least 8."""

MIN_WEIGHTS = 2
"""Samples of one weight alone need no other quantile."""

ROUNDING = 1e-9
"""Above the rounding error in the deviations of equal scores."""


@dataclass(frozen=True, slots=True)
class Part:
    """The samples of the same weight in a score.

    An event is a sample that differs from the others of its task, such as a failure among successes. With the influence
    u, a sample deviates by e = u / c from its task's mean.
    """

    weight: float
    """The weight c of one sample, above 0: W / k in a task of k samples with the weight W."""

    size: float
    """The number of samples."""

    variance: float
    """The contribution to the variance of the score by the influences of the samples."""

    fourth: float
    """The sum of e^4."""

    @property
    def second(self) -> float:
        """The sum of e^2."""
        return self.variance / self.weight**2


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence of the samples on the variance of a score."""

    parts: Sequence[Part]
    """At least one, each of another weight."""

    @property
    def variance(self) -> float:
        """The variance of the score by the influences of the samples."""
        return math.fsum(part.variance for part in self.parts)

    @property
    def n(self) -> float:
        """The effective sample size by weights alone, 1 / sum of squared weights (Kish 1965)."""
        return 1 / math.fsum(part.size * part.weight**2 for part in self.parts)

    @property
    def max_weight(self) -> float:
        """The largest weight of a sample."""
        return max(part.weight for part in self.parts)

    def events(self) -> list[float]:
        """Return for each part the number of events, (sum e^2)^2 / sum e^4, that say something about its variance.

        Those of another part count by the fourth power of the ratio of the weights: a variance is made of squared
        weights, and its own error of their squares. The events in a task of 400 samples say hardly anything about one
        of two samples, which nevertheless moves the score most.
        """
        if len(self.parts) == 1:
            return [_events(self.parts[0].second, self.parts[0].fourth)]
        weights = np.array([part.weight for part in self.parts])
        relevance = (np.minimum.outer(weights, weights) / np.maximum.outer(weights, weights)) ** 4
        seconds = relevance @ [part.second for part in self.parts]
        fourths = relevance @ [part.fourth for part in self.parts]
        return [_events(second, fourth) for second, fourth in zip(seconds.tolist(), fourths.tolist(), strict=True)]


def evidence_of(influences: Sequence[Influences]) -> Evidence | None:
    """Return what the samples say about the variance of a score; None if all its error comes from no sample."""
    parts: dict[float, Part] = {}
    for each in influences:
        if each.clusters and each.weight:
            weight, squares = abs(each.weight) / each.clusters, each.values**2
            before = parts.get(weight) or Part(weight, 0, 0.0, 0.0)
            fourth = before.fourth + float(squares @ squares) / weight**4
            parts[weight] = Part(weight, before.size + each.clusters, before.variance + each.variance, fourth)
    return Evidence(list(parts.values())) if parts else None


def equal_samples(value: float, standard_error: float, n: float) -> Evidence:
    """Return the evidence of `n` samples of equal weight, if the number that differs is that of scores of 0 and 1."""
    second, events = (standard_error * n) ** 2, n * value * (1 - value)
    return Evidence([Part(1 / n, n, standard_error**2, second**2 / events if events else 0.0)])


def effective_samples(value: float, evidence: Evidence) -> tuple[float, float]:
    """Return the effective sample size (above 0) of a score in [0, 1], and the variance beyond the possible.

    The variance of each part is averaged with the binomial one; the weights are its events and BINOMIAL_EVENTS.

    The variance of a mean of scores in [0, 1] is at most its largest weight times v (1 - v) (Bhatia and Davis 2000).
    An estimate from k samples may exceed this by k / (k - 1). What exceeds even that comes from a correction, which
    stretches errors but not the range. It is the second figure.
    """
    binomial = max(0.0, value * (1 - value))
    largest, estimated = MAX_INFLATION * evidence.max_weight * binomial, evidence.variance
    rest = max(0.0, estimated - largest)
    if binomial == 0:
        return evidence.n, rest
    possible = largest / estimated if rest else 1.0
    variance = 0.0
    for part, events in zip(evidence.parts, evidence.events(), strict=True):
        prior = BINOMIAL_EVENTS * binomial * part.size * part.weight**2
        variance += (events * part.variance * possible + prior) / (events + BINOMIAL_EVENTS)
    return binomial / variance, rest


def degrees_of_freedom(one: Mapping[Hashable, Influences], other: Mapping[Hashable, Influences]) -> float:
    """Return the degrees of freedom of the variance of a difference of two scores with these influences, by task.

    Satterthwaite 1946, "An approximate distribution of estimates of variance components", Biometrics Bulletin 2:
    (sum V)^2 / sum (V^2 / f) for the variances V of the tasks. V is taken as proportional to W^2 / k in a task of k
    samples with the weight W: the estimated V of five equal scores is 0, and such a task must not count for less. With
    f = k - 1, intervals of tasks of two to five samples would be too wide, because half of what is unknown of their
    variances is in the effective sample size already; f = k + 2, and at least MIN_FREEDOM, was chosen by simulation.
    Infinity if all samples have the same weight: the interval is then Newcombe's.
    """
    variances: dict[Hashable, float] = {}
    sizes: dict[Hashable, float] = {}
    weights: set[float] = set()
    for influences in (one, other):
        for source, each in influences.items():
            if each.clusters and each.weight:
                variances[source] = variances.get(source, 0.0) + each.weight**2 / each.clusters
                sizes[source] = each.clusters
                weights.add(abs(each.weight) / each.clusters)
    if len(weights) < MIN_WEIGHTS:
        return math.inf
    parts = [(variances[source], max(size + EXTRA_FREEDOM, MIN_FREEDOM)) for source, size in sizes.items()]
    return math.fsum(v for v, _ in parts) ** 2 / math.fsum(v**2 / f for v, f in parts)


def _events(second: float, fourth: float) -> float:
    # Equal scores leave a rounding error, which is not an event.
    return second**2 / fourth if second > ROUNDING**2 else 0.0
