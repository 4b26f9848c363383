"""Votes as arrays, and their counts, from which the point ratings are computed."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np


class Outcome(enum.IntEnum):
    """The outcome of a vote on two models. The values index the last axis of counts and probabilities."""

    FIRST = 0
    """The model in position A is better."""

    SECOND = 1
    """The model in position B is better."""

    TIE = 2
    """Both are equally good."""

    BOTH_BAD = 3
    """Neither is acceptable; on safety, both were broken."""


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Votes, one per entry of each array. All arrays have the same length and hold integers, except `weight`."""

    first: np.ndarray
    """The model shown in position A."""

    second: np.ndarray
    """The model shown in position B; never the same as `first`."""

    outcome: np.ndarray
    """The Outcome of each vote."""

    voter: np.ndarray
    """The voter, who is the cluster of the standard errors. The votes of one voter are in the order of time."""

    family: np.ndarray | None = None
    """The attack family of the battle, for ratings by family; None if it is of no interest."""

    weight: np.ndarray | None = None
    """The weight of each vote, such as the inverse of the probability with which its pair was chosen; None: all 1."""

    def __len__(self) -> int:
        return len(self.first)

    def subset(self, selected: np.ndarray) -> Votes:
        """Return the votes that a Boolean mask or an array of positions selects."""
        return Votes(
            first=self.first[selected],
            second=self.second[selected],
            outcome=self.outcome[selected],
            voter=self.voter[selected],
            family=None if self.family is None else self.family[selected],
            weight=None if self.weight is None else self.weight[selected],
        )

    def without_voters(self, excluded: np.ndarray) -> Votes:
        """Return the votes of all voters but those for whom the mask `excluded`, shape (voters,), is true."""
        return self.subset(~excluded[self.voter])


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Number of votes by ordered pair of models and outcome."""

    values: np.ndarray
    """Shape (models, models, 4): position A, position B, outcome. Integers, or floats if the votes have weights."""

    @property
    def models(self) -> int:
        """The number of models."""
        return len(self.values)

    @property
    def total(self) -> float:
        """The number of votes, or the sum of their weights."""
        return float(self.values.sum())

    def add(self, first: int, second: int, outcome: int, times: int = 1) -> None:
        """Add one vote in place; a negative `times` removes votes."""
        self.values[first, second, outcome] += times

    def add_votes(self, votes: Votes) -> None:
        """Add votes without weights in place."""
        self.values[...] += count_votes(votes, self.models).values

    def battles(self) -> np.ndarray:
        """Return the number of votes on each model, in either position; shape (models,)."""
        by_pair = self.values.sum(axis=2)
        sums: np.ndarray = by_pair.sum(axis=0) + by_pair.sum(axis=1)
        return sums


def count_votes(votes: Votes, models: int) -> Counts:
    """Count votes by ordered pair and outcome."""
    cells = (votes.first.astype(np.int64) * models + votes.second) * len(Outcome) + votes.outcome
    counts = np.bincount(cells, weights=votes.weight, minlength=models * models * len(Outcome))
    return Counts(counts.reshape(models, models, len(Outcome)))
