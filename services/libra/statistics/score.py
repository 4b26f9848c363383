"""A score, its standard error, and the influences of the samples from which that error is computed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval: both ends belong to it."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TrialsBySample:
    """The trials of one task by one model, without an attack or under one, summed by sample."""

    task: str
    """The task and its version, "name@version", with the gold label if the samples are those of one label.

    An ordinal means the same sample for every model, run and attack.
    """

    ordinals: Sequence[int]
    """The samples, each once."""

    counts: Sequence[int]
    """The number of scored trials of each sample."""

    sums: Sequence[float]
    """The sum of the scores of these trials, each score in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Influences:
    """Influences of the samples of one task on a score: the distance by which each moved it from its expected value."""

    ordinals: np.ndarray
    """The samples, each once, in any order; shape (samples,)."""

    values: np.ndarray
    """The influences, in units of the score; shape (samples,). They are independent and have mean 0.

    The sum of their squares is the variance of the score.
    """

    weight: float
    """The change of the score if every sample scored 1 more: 1 for a task, 1/k for one of k averaged tasks."""

    clusters: float
    """The number of independent samples; 0 for an error that comes from no sample, as that of an imported figure.

    It is smaller than the number of ordinals if only some of the samples have a label.
    """

    @property
    def variance(self) -> float:
        """The contribution of these samples to the score's variance."""
        return float(self.values @ self.values)

    def scaled(self, gradient: float) -> Influences:
        """Return the influences on `gradient` times the score."""
        return Influences(self.ordinals, self.values * gradient, self.weight * gradient, self.clusters)

    def plus(self, other: Influences) -> Influences:
        """Return the influences on the sum of two scores. A sample that both have is one cluster."""
        weight = self.weight + other.weight
        if self._has_ordinals_of(other):
            return Influences(
                self.ordinals, self.values + other.values, weight, self._common_clusters(other, len(self.ordinals))
            )
        ordinals = np.union1d(self.ordinals, other.ordinals)
        values = np.zeros(len(ordinals))
        values[np.searchsorted(ordinals, self.ordinals)] = self.values
        values[np.searchsorted(ordinals, other.ordinals)] += other.values
        return Influences(ordinals, values, weight, self._common_clusters(other, len(ordinals)))

    def covariance(self, other: Influences) -> float:
        """Return the covariance of two scores that comes from the samples that both have."""
        if self._has_ordinals_of(other):
            return float(self.values @ other.values)
        _, mine, theirs = np.intersect1d(self.ordinals, other.ordinals, assume_unique=True, return_indices=True)
        return float(self.values[mine] @ other.values[theirs])

    def _common_clusters(self, other: Influences, ordinals: int) -> float:
        """Return the number of independent samples behind the sum of both, with this number of ordinals together.

        The errors of samples add up, weight / sqrt(clusters), as if both scores moved in step.
        """
        if not self.clusters or not other.clusters:
            return 0
        one, two = abs(self.weight), abs(other.weight)
        parts = one * math.sqrt(len(self.ordinals) / self.clusters) + two * math.sqrt(
            len(other.ordinals) / other.clusters
        )
        return ordinals * ((one + two) / parts) ** 2 if parts else ordinals

    def _has_ordinals_of(self, other: Influences) -> bool:
        return self.ordinals is other.ordinals or np.array_equal(self.ordinals, other.ordinals)


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """A score and its standard error."""

    value: float
    """In [0, 1]; a difference is in [-1, 1]."""

    n: int
    """The number of trials from which it is computed."""

    standard_error: float | None
    """In units of the score. None if it is unknown; then that of every score computed from this one is unknown too."""

    influences: Mapping[Hashable, Influences] = field(default_factory=dict)
    """By source of the error: a task's "name@version", or a key of its own for an error that comes from no sample."""

    precomputed_interval: Interval | None = None
    """The 95 % interval of a score for which the influences do not suffice (see overall)."""

    is_difference: bool = False
    """Whether this is the difference of two scores."""
