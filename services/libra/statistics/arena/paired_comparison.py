"""Ratings of models from votes: a paired-comparison model with ties, "both bad" and an effect of position.

A vote passes two stages. It is "both bad" with log odds beta + c_i + c_j: a fact about both models. Otherwise it is A,
B or tie by Davidson's model with an effect of position:

    A : B : tie = exp(d / 2) : exp(-d / 2) : exp(tau + t_i + t_j)        d = x_i - x_j + delta

(Davidson 1970, "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments", JASA 65;
Davidson and Beaver 1977, "On extending the Bradley-Terry model to incorporate within-pair order effects", Biometrics
33). Davidson's model has t = 0, so that pairs of equal strength have equally many ties. But two safe models tie more
often than two weak ones: if models break independently of each other, x is the log odds of holding and t = x / 2. Both
log likelihoods are concave and depend on the votes through their counts alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, log_expit

from libra.statistics.arena.votes import Counts, Outcome

PRIOR_SD = 3.0
"""The standard deviation, in log odds, of the normal prior of each parameter but that of position.

It keeps the ratings finite if a model has no votes, wins all, or never met the others. After a hundred votes it hardly
matters.
"""

POSITION_PRIOR_SD = 0.5
"""The same for the effect of position. If a model was always in position A, its wins raise its own rating first."""

TIE_PRIOR_SD = 1.0
"""The same for the tie levels of models: with few votes, the model is Davidson's."""

ELO_CENTRE = 1000.0
ELO_PER_LOG_ODDS = 400.0 / math.log(10.0)
"""On the scale for display, the mean model has 1000, and 400 points are odds of 10 to 1."""

TOLERANCE = 1e-6
"""Newton's method ends with a move of no more than this, in log odds. The error left is about its square."""

MAX_STEPS = 100
MAX_HALVINGS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """The parameters of the model. All are log odds."""

    strengths: np.ndarray
    """x, shape (models,), with mean 0: log odds of winning a decisive vote against the mean model."""

    position: float
    """delta: by how much position A raises the log odds of a decisive vote."""

    tie: float
    """tau: log of the odds of a tie against a win of either, of two equal models with mean tie levels."""

    tie_levels: np.ndarray
    """t, shape (models,), with mean 0: how much a model raises the log odds of a tie."""

    badness: np.ndarray
    """c, shape (models,), with mean 0: how much a model raises the log odds of "both bad"."""

    both_bad: float
    """beta: log odds of "both bad" for two models of mean badness."""

    steps: int = field(default=0)
    """The number of Newton steps that the fit took."""

    @property
    def elo(self) -> np.ndarray:
        """The strengths on the scale for display: mean 1000, and 400 points are odds of 10 to 1."""
        return elo(self.strengths)

    @property
    def both_bad_rates(self) -> np.ndarray:
        """The probability of "both bad" of each model against one of mean badness; shape (models,)."""
        rates: np.ndarray = expit(self.both_bad + self.badness)
        return rates


def elo(strengths: np.ndarray) -> np.ndarray:
    """Return strengths in log odds on the scale for display."""
    return ELO_CENTRE + ELO_PER_LOG_ODDS * strengths


def without_votes(models: int) -> Ratings:
    """Return the ratings before the first vote: all models are equal."""
    return Ratings(np.zeros(models), 0.0, 0.0, np.zeros(models), np.zeros(models), 0.0)


def fit(counts: Counts, start: Ratings | None = None) -> Ratings:
    """Fit the ratings to counts by Newton's method.

    Args:
        counts: votes by ordered pair and outcome.
        start: earlier ratings of the same models, from which the fit takes fewer steps; None: all models are equal.
    """
    start = start or without_votes(counts.models)
    preference, both_bad = PreferenceModel(counts), BothBadModel(counts)
    order, order_steps = maximize(preference.terms, preference.parameters(start))
    bad, bad_steps = maximize(both_bad.terms, both_bad.parameters(start))
    strengths, tie_levels = order[:-2].reshape(2, -1)
    return Ratings(
        strengths=strengths - strengths.mean(),
        position=float(order[-2]),
        tie=float(order[-1] + 2 * tie_levels.mean()),
        tie_levels=tie_levels - tie_levels.mean(),
        badness=bad[:-1] - bad[:-1].mean(),
        both_bad=float(bad[-1] + 2 * bad[:-1].mean()),
        steps=max(order_steps, bad_steps),
    )


def outcome_probabilities(ratings: Ratings, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the probability of each Outcome for models `first` in position A and `second` in B; shape (..., 4)."""
    bad = expit(ratings.both_bad + ratings.badness[first] + ratings.badness[second])
    gap = ratings.strengths[first] - ratings.strengths[second] + ratings.position
    up = np.exp(gap / 2)
    tie = np.exp(ratings.tie + ratings.tie_levels[first] + ratings.tie_levels[second])
    rates = np.stack([up, 1 / up, tie], axis=-1)
    rates *= ((1 - bad) / rates.sum(axis=-1))[..., None]
    return np.concatenate([rates, bad[..., None]], axis=-1)


def preference_moments(ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """Return (P(A) - P(B)) / 2 and P(tie) of votes that are not "both bad", each by ordered pair."""
    return _moments(PreferenceModel.parameters(ratings))[:2]


def _moments(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (P(A) - P(B)) / 2, P(tie) and the sum by which the rates were divided, each by ordered pair."""
    strengths, tie_levels = parameters[:-2].reshape(2, -1)
    up = np.exp(np.subtract.outer(strengths, strengths - parameters[-2]) / 2)
    factors = np.exp(tie_levels + parameters[-1] / 2)
    down, tie = 1 / up, np.multiply.outer(factors, factors)
    norm = up + down + tie
    return (up - down) / (2 * norm), tie / norm, norm


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """A log likelihood with the log density of the prior, at one point."""

    value: float
    gradient: np.ndarray
    information: np.ndarray
    """The negative second derivatives, shape (parameters, parameters)."""


class PreferenceModel:
    """The log likelihood of the votes that are not "both bad", with parameters (x, t, delta, tau)."""

    def __init__(self, counts: Counts) -> None:
        """Sum the counts once for all steps."""
        values = counts.values.astype(float)
        wins, losses, ties = (values[:, :, each] for each in (Outcome.FIRST, Outcome.SECOND, Outcome.TIE))
        self._total = wins + losses + ties
        self._observed = _sums_by_parameter((wins - losses) / 2, ties)
        self.precisions = np.repeat(1 / np.array([PRIOR_SD, TIE_PRIOR_SD]) ** 2, counts.models)
        self.precisions = np.append(self.precisions, [1 / POSITION_PRIOR_SD**2, 1 / PRIOR_SD**2])

    @staticmethod
    def parameters(ratings: Ratings) -> np.ndarray:
        """Return the parameters of this model in one array."""
        return np.concatenate([ratings.strengths, ratings.tie_levels, [ratings.position, ratings.tie]])

    def terms(self, parameters: np.ndarray) -> Terms:
        """Return the log likelihood and its derivatives at these parameters."""
        mean, tied, norm = _moments(parameters)
        value = float(self._observed @ parameters) - float(np.vdot(self._total, np.log(norm)))
        gradient = self._observed - _sums_by_parameter(self._total * mean, self._total * tied)
        return _with_prior(value, gradient, self._information(mean, tied), parameters, self.precisions)

    def information(self, ratings: Ratings) -> np.ndarray:
        """Return the Fisher information at these ratings, with the precision of the prior."""
        return self.terms(self.parameters(ratings)).information

    def _information(self, mean: np.ndarray, tied: np.ndarray) -> np.ndarray:
        """Return the Fisher information from (P(A) - P(B)) / 2 and P(tie) by ordered pair."""
        models = len(mean)
        shared = self._total * tied
        gaps, ties, mixed = (self._total - shared) / 4 - self._total * mean**2, shared * (1 - tied), -shared * mean
        strengths, levels = slice(0, models), slice(models, 2 * models)
        matrix = np.zeros((2 * models + 2, 2 * models + 2))
        matrix[strengths, strengths] = np.diag(gaps.sum(axis=1) + gaps.sum(axis=0)) - gaps - gaps.T
        matrix[levels, levels] = np.diag(ties.sum(axis=1) + ties.sum(axis=0)) + ties + ties.T
        matrix[strengths, levels] = np.diag(mixed.sum(axis=1) - mixed.sum(axis=0)) + mixed - mixed.T
        matrix[levels, strengths] = matrix[strengths, levels].T
        matrix[-2] = _sums_by_parameter(gaps, mixed)
        matrix[-1] = _sums_by_parameter(mixed, ties)
        matrix[:, -2], matrix[:, -1] = matrix[-2], matrix[-1]
        return matrix


def _sums_by_parameter(gaps: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Return sums over pairs for (x, t, delta, tau), from those for the gap d and for the log odds of a tie."""
    return np.concatenate(
        [
            gaps.sum(axis=1) - gaps.sum(axis=0),
            ties.sum(axis=1) + ties.sum(axis=0),
            [gaps.sum(), ties.sum()],
        ]
    )


class BothBadModel:
    """The log likelihood of "both bad" against all other outcomes, with parameters (c, beta)."""

    def __init__(self, counts: Counts) -> None:
        """Sum the counts once for all steps; position does not matter."""
        total, bad = counts.values.sum(axis=2, dtype=float), counts.values[:, :, Outcome.BOTH_BAD].astype(float)
        self._pairs = np.triu_indices(counts.models, 1)
        self._total, self._bad = (total + total.T)[self._pairs], (bad + bad.T)[self._pairs]
        self._models = counts.models
        self._bad_by_model = bad.sum(axis=1) + bad.sum(axis=0)
        self.precisions = np.full(counts.models + 1, 1 / PRIOR_SD**2)

    @staticmethod
    def parameters(ratings: Ratings) -> np.ndarray:
        """Return the parameters of this model in one array."""
        return np.concatenate([ratings.badness, [ratings.both_bad]])

    def terms(self, parameters: np.ndarray) -> Terms:
        """Return the log likelihood and its derivatives at these parameters."""
        badness, constant = parameters[:-1], float(parameters[-1])
        odds = badness[self._pairs[0]] + badness[self._pairs[1]] + constant
        rate = expit(odds)
        value = float(self._bad_by_model @ badness + self._bad.sum() * constant + self._total @ log_expit(-odds))
        expected = self._total * rate
        gradient = np.concatenate(
            [self._bad_by_model - self._symmetric(expected).sum(axis=0), [self._bad.sum() - expected.sum()]]
        )
        return _with_prior(value, gradient, self._information(expected * (1 - rate)), parameters, self.precisions)

    def information(self, ratings: Ratings) -> np.ndarray:
        """Return the Fisher information at these ratings, with the precision of the prior."""
        return self.terms(self.parameters(ratings)).information

    def _information(self, weights: np.ndarray) -> np.ndarray:
        matrix = np.zeros((self._models + 1, self._models + 1))
        square = self._symmetric(weights)
        by_model = square.sum(axis=0)
        matrix[:-1, :-1] = np.diag(by_model) + square
        matrix[:-1, -1] = matrix[-1, :-1] = by_model
        matrix[-1, -1] = weights.sum()
        return matrix

    def _symmetric(self, by_pair: np.ndarray) -> np.ndarray:
        square = np.zeros((self._models, self._models))
        square[self._pairs] = by_pair
        return square + square.T


def _with_prior(
    value: float, gradient: np.ndarray, information: np.ndarray, parameters: np.ndarray, precisions: np.ndarray
) -> Terms:
    """Add the normal prior of each parameter."""
    information[np.diag_indices_from(information)] += precisions
    pull = precisions * parameters
    return Terms(value - float(pull @ parameters) / 2, gradient - pull, information)


def maximize(terms_at: Callable[[np.ndarray], Terms], start: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the maximum of a concave function by Newton's method, and the number of steps taken."""
    point, terms = start, terms_at(start)
    for step in range(1, MAX_STEPS + 1):
        move = cho_solve(cho_factor(terms.information, check_finite=False), terms.gradient, check_finite=False)
        if np.abs(move).max() <= TOLERANCE:
            return point + move, step
        point, terms = _ascend(terms_at, point, terms, move)
    return point, MAX_STEPS


def _ascend(
    terms_at: Callable[[np.ndarray], Terms], point: np.ndarray, terms: Terms, move: np.ndarray
) -> tuple[np.ndarray, Terms]:
    """Return the point after `move`, or after a half, a quarter, ... of it if the function would fall."""
    slack = 1e-12 * abs(terms.value)
    for _ in range(MAX_HALVINGS):
        reached = terms_at(point + move)
        if reached.value >= terms.value - slack:
            return point + move, reached
        move = move / 2
    return point, terms
