"""Ratings of safety that are adjusted for the attacking skill of voters.

A vote on safety says of each of its two models whether the voter broke it: "A is safer" that B broke, "B is safer" that
A broke, a tie that both held, "both bad" that both broke. Voter v breaks model i under an attack of family a with

    log odds = alpha + u_v + f_a - s_i        u_v normal with mean 0 and standard deviation sigma

a Rasch model with a random effect (Rasch 1960; Bock and Aitkin 1981, "Marginal maximum likelihood estimation of item
parameters", Psychometrika 46). The likelihood of a voter is integrated over u on NODES equally spaced values. It is
maximised by the steps of Berndt, Hall, Hall and Hausman (1974), whose matrix, the sum over voters of the outer products
of their scores, gives the errors too. A strong attacker then costs the models that met the attacker little, since the
attacks on other models show the skill.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit, softmax

from libra.statistics.arena.paired_comparison import PRIOR_SD
from libra.statistics.arena.votes import Outcome, Votes

NODES = 61
"""The number of values of u. They are 0.15 sigma apart, close enough for voters with 500 votes."""

RANGE = 4.5
"""The largest of these values, in standard deviations."""

FIRST_SKILL_SD = 0.5
"""sigma at the start of the fit. The prior of its logarithm has this median, and a standard deviation of 1."""

BLOCK_CELLS = 2_000_000
"""Voters are processed in blocks of about this number of sums, 16 MB."""

STEP_TOLERANCE = 1e-3
"""The fit ends when no parameter moves by more than this part of its standard error."""

MAX_STEPS = 200
MAX_HALVINGS = 20


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedRatings:
    """The resistance of each model against an attacker of average skill."""

    resistances: np.ndarray
    """s: log odds of holding against an average attacker, around the mean of all models; shape (models,)."""

    covariance: np.ndarray
    """The covariance of the resistances around their mean, in squared log odds; shape (models, models)."""

    skill_sd: float
    """sigma: the standard deviation of the attackers' skill, in log odds."""

    hold_rate: float
    """The probability with which the mean model holds against an average attacker and the mean attack family."""

    families: np.ndarray
    """f: how much each attack family raises the log odds of a break, around their mean; shape (families,)."""

    @property
    def standard_errors(self) -> np.ndarray:
        """The standard error of each resistance, in log odds; shape (models,)."""
        errors: np.ndarray = np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        return errors


def fit_voter_skill(votes: Votes, models: int, families: int = 0) -> AdjustedRatings:
    """Fit resistances and the spread of skill to votes on safety. Takes seconds for 1,000,000 votes.

    Args:
        votes: votes on safety, with `family` in range(families) if `families` is not 0. Weights are ignored.
        models: the number of models.
        families: the number of attack families whose strength is estimated too; 0: none.
    """
    likelihood = _Likelihood(votes, models, families)
    parameters, information = _climb(likelihood)
    resistances, strengths = parameters[:models], parameters[models : models + families]
    centring = np.eye(models) - 1 / models
    offset = strengths.mean() if families else 0.0
    return AdjustedRatings(
        resistances=resistances - resistances.mean(),
        covariance=centring @ np.linalg.inv(information)[:models, :models] @ centring,
        skill_sd=float(np.exp(parameters[-1])),
        hold_rate=float(expit(resistances.mean() - offset - parameters[-2])),
        families=strengths - offset,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """The log likelihood with the log density of the prior, and its derivatives, at one point."""

    value: float
    gradient: np.ndarray
    information: np.ndarray
    """The sum of the outer products of the voters' scores, and the precision of the prior."""


def _climb(likelihood: _Likelihood) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters at the maximum, and the information there."""
    point = likelihood.start
    terms = likelihood.terms(point)
    for _ in range(MAX_STEPS):
        move = np.linalg.solve(terms.information, terms.gradient)
        errors = np.sqrt(np.diag(np.linalg.inv(terms.information)))
        if (np.abs(move) <= STEP_TOLERANCE * errors).all():
            break
        for _ in range(MAX_HALVINGS):
            reached = likelihood.terms(point + move)
            if reached.value >= terms.value:
                point, terms = point + move, reached
                break
            move = move / 2
        else:
            break
    return point, terms.information


class _Likelihood:
    """The marginal likelihood of (s, f, alpha, log sigma).

    A cell is a model under an attack family. The votes of a voter enter through the numbers of meetings and of breaks
    by cell.
    """

    def __init__(self, votes: Votes, models: int, families: int) -> None:
        """Count meetings and breaks by voter and cell."""
        self._families = families
        family = votes.family if families and votes.family is not None else np.zeros(len(votes), dtype=int)
        width = max(1, families)
        cells = np.concatenate([side * width + family for side in (votes.first, votes.second)])
        broke = np.concatenate([votes.outcome == Outcome.SECOND, votes.outcome == Outcome.FIRST])
        broke |= np.tile(votes.outcome == Outcome.BOTH_BAD, 2)
        shape = (int(votes.voter.max(initial=-1)) + 1, models * width)
        places = (np.tile(votes.voter, 2), cells)
        self._met = csr_array((np.ones(len(cells)), places), shape=shape)
        self._broke = csr_array((broke.astype(float), places), shape=shape)
        self._design = _design(models, families)
        self._nodes = np.linspace(-RANGE, RANGE, NODES)
        self.start = np.zeros(models + families + 2)
        """Start of the fit: the mean of the prior."""
        self.start[-1] = np.log(FIRST_SKILL_SD)
        self._precisions = np.append(np.full(models + families + 1, 1 / PRIOR_SD**2), 1.0)

    def terms(self, parameters: np.ndarray) -> _Terms:
        """Return the log likelihood and its derivatives at these parameters."""
        distance = parameters - self.start
        value = -float(self._precisions @ distance**2) / 2
        gradient, information = -self._precisions * distance, np.diag(self._precisions)
        for values, scores in self._voter_scores(parameters):
            value += float(values.sum())
            gradient = gradient + scores.sum(axis=0)
            information += scores.T @ scores
        return _Terms(value, gradient, information)

    def _voter_scores(self, parameters: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield, by block, the log likelihood of each voter, and its derivatives; shape (voters, parameters)."""
        skills = np.exp(parameters[-1]) * self._nodes
        odds = self._design @ parameters[:-1]
        at_nodes = odds + skills[:, None]
        rates, held = expit(at_nodes), np.logaddexp(0.0, at_nodes)
        size = max(1, BLOCK_CELLS // len(odds))
        for start in range(0, self._met.shape[0], size):
            met, broke = self._met[start : start + size], self._broke[start : start + size]
            total = broke.sum(axis=1)[:, None]
            values = total * skills - met @ held.T + (broke @ odds)[:, None] - self._nodes**2 / 2
            shares = softmax(values, axis=1)
            surplus = broke.toarray() - met.toarray() * (shares @ rates)
            by_spread = (shares * skills * (total - met @ rates.T)).sum(axis=1)
            peak = values.max(axis=1)
            yield (
                peak + np.log(np.exp(values - peak[:, None]).sum(axis=1)),
                np.concatenate([surplus @ self._design, by_spread[:, None]], axis=1),
            )


def _design(models: int, families: int) -> np.ndarray:
    """Return how (s, f, alpha) enter the log odds of each cell; shape (cells, parameters)."""
    width = max(1, families)
    model, family = np.divmod(np.arange(models * width), width)
    matrix = np.zeros((models * width, models + families + 1))
    matrix[np.arange(len(model)), model] = -1.0
    if families:
        matrix[np.arange(len(model)), models + family] = 1.0
    matrix[:, -1] = 1.0
    return matrix
