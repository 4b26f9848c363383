"""A score with its error, and the influences of the samples that make up that error."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends belong to it."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Section:
    """The trials of one task by one model, plain or under one attack, added up by sample."""

    space: str
    """Where the ordinals belong: "name@version". Sections of one space share samples, whatever model, run or attack."""

    ordinals: Sequence[int]
    """The samples, each once."""

    counts: Sequence[int]
    """Trials of each that count."""

    sums: Sequence[float]
    """The sum of their scores, each in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The influences that come from one space."""

    ordinals: np.ndarray
    """Samples, each once, in any order."""

    values: np.ndarray
    """How far each moved the score: independent, with mean 0; the sum of their squares is the variance."""

    weight: float
    """How far the score moves if all samples here score 1 more: 1 for a task, 1/k for a task among k."""

    clusters: int
    """Independent samples; 0 for what is no sample, such as an imported figure's error or a judge's."""

    @property
    def variance(self) -> float:
        """What this space adds to the score's variance."""
        return float(self.values @ self.values)

    def scaled(self, gradient: float) -> Block:
        """Return the block of `gradient` times the score."""
        return Block(self.ordinals, self.values * gradient, self.weight * gradient, self.clusters)

    def plus(self, other: Block) -> Block:
        """Return the block of the sum of two scores. What they share is one cluster."""
        weight = self.weight + other.weight
        if self.ordinals is other.ordinals or np.array_equal(self.ordinals, other.ordinals):
            return Block(self.ordinals, self.values + other.values, weight, self.clusters)
        ordinals = np.union1d(self.ordinals, other.ordinals)
        values = np.zeros(len(ordinals))
        values[np.searchsorted(ordinals, self.ordinals)] = self.values
        values[np.searchsorted(ordinals, other.ordinals)] += other.values
        return Block(ordinals, values, weight, len(ordinals) if self.clusters else 0)

    def dot(self, other: Block) -> float:
        """Return the covariance that comes from shared samples."""
        if self.ordinals is other.ordinals or np.array_equal(self.ordinals, other.ordinals):
            return float(self.values @ other.values)
        _, mine, theirs = np.intersect1d(self.ordinals, other.ordinals, assume_unique=True, return_indices=True)
        return float(self.values[mine] @ other.values[theirs])


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """A score, how sure it is, and by what."""

    value: float
    """In [0, 1]; a difference is in [-1, 1]."""

    n: int
    """Trials it stands on."""

    standard_error: float | None
    """None where it cannot be told; whatever is made of such a score cannot be told either."""

    blocks: Mapping[Hashable, Block] = field(default_factory=dict)
    """By space."""

    limits: Interval | None = None
    """Its 95 % interval, where that needs more than the influences (see balance)."""

    signed: bool = False
    """True for a difference."""
