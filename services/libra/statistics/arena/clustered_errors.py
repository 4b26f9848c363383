"""Standard errors of the ratings that allow the votes of one voter to depend on each other in any way.

The covariance is the sandwich H^-1 M H^-1 (Liang and Zeger 1986): H is the information of the fit with its prior, and M
the sum over voters of s s', where s is the sum of the scores (derivatives of the log likelihood) of a voter's votes.
Three amendments serve models with few voters, and vanish with many:

- Each entry of s is divided by 1 - h, where h is the voter's share of the information on that parameter: the jackknife
  estimate CR3 (Bell and McCaffrey 2002) for a diagonal leverage.
- The precision of the prior is added to M, so that a model without votes has the variance of the prior.
- M is nowhere below H: no direction is more certain than if all votes were independent.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import expit

from libra.statistics import interval
from libra.statistics.arena.paired_comparison import (
    BothBadModel,
    PreferenceModel,
    Ratings,
    preference_moments,
)
from libra.statistics.arena.votes import Counts, Outcome, Votes, count_votes
from libra.statistics.rank_intervals import rank_intervals_from_covariance
from libra.statistics.score import Interval

BLOCK_CELLS = 250_000
"""Voters are processed in blocks of this number of sums, 2 MB, which fit into the cache of a processor."""


@dataclass(frozen=True, slots=True, eq=False)
class RatingErrors:
    """The uncertainty of the strengths and of the badness of models."""

    covariance: np.ndarray
    """The covariance of the strengths around their mean, in squared log odds; shape (models, models)."""

    badness_covariance: np.ndarray
    """The covariance of the badness around its mean, in squared log odds; shape (models, models)."""

    @property
    def standard_errors(self) -> np.ndarray:
        """The standard error of each strength, in log odds; shape (models,)."""
        errors: np.ndarray = np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        return errors


def clustered_errors(votes: Votes, ratings: Ratings) -> RatingErrors:
    """Return the errors of ratings fitted to these votes, clustered by voter. Takes below a second for 1,000,000."""
    ordered = _OrderedVotes.of(votes, len(ratings.strengths))
    return RatingErrors(
        _sandwich(ordered, PreferenceModel, _preference_derivatives(ratings), ratings),
        _sandwich(ordered, BothBadModel, _both_bad_derivatives(ratings), ratings),
    )


def independent_errors(counts: Counts, ratings: Ratings) -> RatingErrors:
    """Return the errors as if every vote came from another voter, from counts alone, within milliseconds.

    They serve until clustered errors are computed. They are too small wherever a voter votes often.
    """
    preference, both_bad = PreferenceModel(counts), BothBadModel(counts)
    return RatingErrors(
        centred(np.linalg.inv(preference.information(ratings)), counts.models),
        centred(np.linalg.inv(both_bad.information(ratings)), counts.models),
    )


def strength_intervals(ratings: Ratings, errors: RatingErrors) -> list[Interval]:
    """Return the 95 % interval of each strength, in log odds."""
    return [
        interval.normal(float(strength), float(error))
        for strength, error in zip(ratings.strengths, errors.standard_errors, strict=True)
    ]


def strength_rank_intervals(ratings: Ratings, errors: RatingErrors) -> list[tuple[int, int]]:
    """Return the best and the worst rank of each model, at 95 % for all models at once; the strongest has rank 1."""
    return rank_intervals_from_covariance(ratings.strengths, errors.covariance)


@dataclass(frozen=True, slots=True, eq=False)
class _OrderedVotes:
    """Votes in the order of their voters. Each array has shape (votes,)."""

    votes: Votes
    voter: np.ndarray
    first: np.ndarray
    second: np.ndarray
    cell: np.ndarray
    """Index of the vote in a flattened table of counts by ordered pair and outcome."""

    weight: np.ndarray | None

    @classmethod
    def of(cls, votes: Votes, models: int) -> _OrderedVotes:
        order = np.argsort(votes.voter, kind="stable")
        voter, first, second = (each[order].astype(np.int64) for each in (votes.voter, votes.first, votes.second))
        cell = (first * models + second) * len(Outcome) + votes.outcome[order]
        return cls(votes, voter, first, second, cell, None if votes.weight is None else votes.weight[order])

    def block(self, rows: slice, first_voter: int, models: int) -> _Block:
        """Return these votes, with the voters numbered from `first_voter`."""
        voter = self.voter[rows] - first_voter
        weight = None if self.weight is None else self.weight[rows]
        first, second = (voter * models + side[rows] for side in (self.first, self.second))
        return _Block(voter, first, second, self.cell[rows], weight, models)

    def counts_of_squares(self, models: int) -> Counts:
        """Return the sum of the squared weights by ordered pair and outcome."""
        votes = self.votes
        weight = None if votes.weight is None else votes.weight**2
        return count_votes(Votes(votes.first, votes.second, votes.outcome, votes.voter, weight=weight), models)


@dataclass(frozen=True, slots=True, eq=False)
class _Derivative:
    """The derivative of the log likelihood by one linear predictor, such as d, by ordered pair and outcome, flattened.

    A predictor is a sum of a parameter of the model in position A, one of the model in B, and a constant.
    """

    score: np.ndarray
    """The derivative; shape (cells,)."""

    information: np.ndarray
    """The expected square of the derivative; shape (cells,)."""

    sign: float
    """The sign with which the parameter of the model in position B enters."""


def _preference_derivatives(ratings: Ratings) -> list[_Derivative]:
    mean, tied = (each[..., None] for each in preference_moments(ratings))
    is_counted = np.array([1.0, 1.0, 1.0, 0.0])
    gap, tie = np.array([0.5, -0.5, 0.0, 0.0]) - mean * is_counted, np.array([0.0, 0.0, 1.0, 0.0]) - tied * is_counted
    gap_information, tie_information = ((1 - tied) / 4 - mean**2) * is_counted, tied * (1 - tied) * is_counted
    return [
        _Derivative(gap.ravel(), gap_information.ravel(), -1.0),
        _Derivative(tie.ravel(), tie_information.ravel(), 1.0),
    ]


def _both_bad_derivatives(ratings: Ratings) -> list[_Derivative]:
    rate = expit(ratings.both_bad + np.add.outer(ratings.badness, ratings.badness))[..., None]
    score = np.array([0.0, 0.0, 0.0, 1.0]) - rate
    return [_Derivative(score.ravel(), np.broadcast_to(rate * (1 - rate), score.shape).ravel(), 1.0)]


def _sandwich(
    ordered: _OrderedVotes,
    model: type[PreferenceModel | BothBadModel],
    derivatives: list[_Derivative],
    ratings: Ratings,
) -> np.ndarray:
    """Return the clustered covariance of the first parameter of each model, around their mean."""
    models = len(ratings.strengths)
    fitted = model(count_votes(ordered.votes, models))
    information = fitted.information(ratings)
    meat = np.diag(fitted.precisions)
    for sums, shares in _voter_sums(ordered, derivatives, models, np.diag(information)):
        adjusted = sums / (1 - shares)
        meat += adjusted.T @ adjusted
    floor = information if ordered.weight is None else model(ordered.counts_of_squares(models)).information(ratings)
    inverse = np.linalg.inv(information)
    return centred(inverse @ _at_least(meat, floor) @ inverse, models)


def _voter_sums(
    ordered: _OrderedVotes, derivatives: list[_Derivative], models: int, information: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, by block of voters, the sums of their scores and their shares of the information; (voters, parameters)."""
    size = max(1, BLOCK_CELLS // len(information))
    starts = np.arange(0, int(ordered.voter.max(initial=-1)) + 1 + size, size)
    for voter, (start, end) in zip(
        starts.tolist(), itertools.pairwise(np.searchsorted(ordered.voter, starts)), strict=False
    ):
        if start < end:
            block = ordered.block(slice(start, end), voter, models)
            sums = block.sums([(each.score, each.sign) for each in derivatives])
            parts = block.sums([(each.information, 1.0) for each in derivatives])
            yield sums, parts / information


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """The votes of a few voters, who are numbered from 0."""

    voter: np.ndarray
    first: np.ndarray
    """The number of (voter, model in position A); shape (votes,)."""

    second: np.ndarray
    """The same for position B."""

    cell: np.ndarray
    weight: np.ndarray | None
    models: int

    def sums(self, signed_tables: list[tuple[np.ndarray, float]]) -> np.ndarray:
        """Return the sums by voter and parameter of what each vote adds by its cell in these tables."""
        values = [table[self.cell] * (1.0 if self.weight is None else self.weight) for table, _ in signed_tables]
        parts = [self._by_model(each, sign) for each, (_, sign) in zip(values, signed_tables, strict=True)]
        return np.concatenate([*parts, *(np.bincount(self.voter, each)[:, None] for each in values)], axis=1)

    def _by_model(self, values: np.ndarray, sign: float) -> np.ndarray:
        shape = (int(self.voter[-1]) + 1, self.models)
        sums = np.bincount(self.first, values, minlength=shape[0] * shape[1])
        sums += np.bincount(self.second, values * sign, minlength=shape[0] * shape[1])
        return sums.reshape(shape)


def _at_least(matrix: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return the matrix, raised in each direction in which it is below the floor."""
    root = np.linalg.cholesky(floor)
    half = solve_triangular(root, matrix, lower=True)
    values, vectors = np.linalg.eigh(solve_triangular(root, half.T, lower=True))
    raised = root @ vectors
    product: np.ndarray = (raised * np.maximum(values, 1.0)) @ raised.T
    return product


def centred(covariance: np.ndarray, models: int) -> np.ndarray:
    """Return the covariance of the first `models` parameters around their mean; shape (models, models)."""
    part = covariance[:models, :models]
    matrix: np.ndarray = part - part.mean(axis=0) - part.mean(axis=1)[:, None] + part.mean()
    return matrix
