"""Votes of simulated voters who differ from each other, by models whose true strengths are known.

Every vote has exactly the probabilities of the true ratings if its voter is unknown, and the votes of one voter depend
on each other: each voter has tastes for single models, a habit of one side, a love of ties and a strictness. They enter
through a Gaussian copula, so that they leave the probabilities over all voters unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

from libra.statistics.arena.paired_comparison import Ratings
from libra.statistics.arena.votes import Outcome, Votes


@dataclass(frozen=True)
class Habits:
    """The part of the variance of a voter's judgements that comes from the voter, each in [0, 1]."""

    taste: float = 0.1
    side: float = 0.05
    tie: float = 0.3
    strictness: float = 0.3


INDEPENDENT = Habits(0.0, 0.0, 0.0, 0.0)


def true_ratings(generator: np.random.Generator, models: int) -> Ratings:
    strengths, tie_levels, badness = generator.normal(0, [[0.6], [0.3], [0.4]], (3, models))
    return Ratings(
        strengths=strengths - strengths.mean(),
        position=0.1,
        tie=-0.3,
        tie_levels=tie_levels - tie_levels.mean(),
        badness=badness - badness.mean(),
        both_bad=-1.5,
    )


def voter_sizes(generator: np.random.Generator, votes: int, voters: int, spread: float = 1.0) -> np.ndarray:
    """Return the voter of each vote, in random order: few vote often, most a few times."""
    activity = np.exp(generator.normal(0, spread, voters))
    return generator.choice(voters, votes, p=activity / activity.sum())


def simulate(generator: np.random.Generator, truth: Ratings, voter: np.ndarray, habits: Habits) -> Votes:
    """Return one vote for each entry of `voter`, on pairs that are all equally likely."""
    models, size = len(truth.strengths), len(voter)
    first = generator.integers(0, models, size)
    second = (first + generator.integers(1, models, size)) % models
    return Votes(first, second, vote(generator, truth, first, second, voter, habits), voter)


def vote(
    generator: np.random.Generator,
    truth: Ratings,
    first: np.ndarray,
    second: np.ndarray,
    voter: np.ndarray,
    habits: Habits,
) -> np.ndarray:
    voters = int(voter.max()) + 1
    tastes = generator.normal(size=(voters, len(truth.strengths))).astype(np.float32)
    side, tie, strictness = generator.normal(size=(3, voters))
    gap = truth.strengths[first] - truth.strengths[second] + truth.position
    own = (
        np.sqrt(habits.taste / 2) * (tastes[voter, first] - tastes[voter, second]) + np.sqrt(habits.side) * side[voter]
    )
    prefers_first = _occurs(generator, expit(gap), own, 1 - habits.taste - habits.side)
    even = np.exp(truth.tie + truth.tie_levels[first] + truth.tie_levels[second])
    is_tie = _occurs(generator, even / (2 * np.cosh(gap / 2) + even), np.sqrt(habits.tie) * tie[voter], 1 - habits.tie)
    bad = expit(truth.both_bad + truth.badness[first] + truth.badness[second])
    is_bad = _occurs(generator, bad, np.sqrt(habits.strictness) * strictness[voter], 1 - habits.strictness)
    outcome = np.where(prefers_first, Outcome.FIRST, Outcome.SECOND)
    return np.where(is_bad, Outcome.BOTH_BAD, np.where(is_tie, Outcome.TIE, outcome))


def _occurs(generator: np.random.Generator, probability: np.ndarray, own: np.ndarray, rest: float) -> np.ndarray:
    """Return whether an event of this probability occurs; `own` is the voter's part of a standard normal variable."""
    occurred: np.ndarray = ndtr(own + np.sqrt(rest) * generator.normal(size=len(own))) < probability
    return occurred


def stuffed_votes(
    generator: np.random.Generator, models: int, target: int, voters: np.ndarray, each: int, *, is_for: bool = True
) -> Votes:
    """Return `each` votes of each of these voters, all on battles of the target, all for it or all against it."""
    voter = np.repeat(voters, each)
    opponent = (target + generator.integers(1, models, len(voter))) % models
    is_first = generator.random(len(voter)) < 0.5
    return Votes(
        first=np.where(is_first, target, opponent),
        second=np.where(is_first, opponent, target),
        outcome=np.where(is_first == is_for, Outcome.FIRST, Outcome.SECOND),
        voter=voter,
    )


def with_extreme_voters(votes: Votes) -> Votes:
    """Return the votes with one voter in fifty who says tie to all, and one in fifty who says "both bad" to all."""
    outcome = votes.outcome.copy()
    outcome[votes.voter % 50 == 0] = Outcome.TIE
    outcome[votes.voter % 50 == 1] = Outcome.BOTH_BAD
    return Votes(votes.first, votes.second, outcome, votes.voter)


def joined(generator: np.random.Generator, *parts: Votes) -> Votes:
    """Return the votes of all parts in random order."""
    names = ("first", "second", "outcome", "voter")
    votes = Votes(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    return votes.subset(generator.permutation(len(votes)))
