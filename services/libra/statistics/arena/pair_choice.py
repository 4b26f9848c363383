"""The choice of the pair for the next battle: the one whose vote is expected to reduce the variance of ratings most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from libra.statistics.arena.paired_comparison import Ratings, outcome_probabilities
from libra.statistics.arena.votes import Outcome

FLOOR_SHARE = 0.25
"""Each eligible model is in at least this part of the battles that it would be in if all pairs were equally likely."""


@dataclass(frozen=True, slots=True)
class PairChoice:
    """The models of a battle, and how likely this choice was."""

    first: int
    """The model in position A."""

    second: int
    """The model in position B."""

    probability: float
    """The probability of this pair in these positions among all that could have been chosen."""


def choose_pair(
    ratings: Ratings,
    covariance: np.ndarray,
    eligible: np.ndarray,
    generator: np.random.Generator,
    floor_share: float = FLOOR_SHARE,
) -> PairChoice:
    """Choose the models of the next battle and their positions.

    Args:
        ratings: the present ratings.
        covariance: the present covariance of the strengths; shape (models, models).
        eligible: which models can take part, shape (models,), Boolean; at least two.
        generator: the source of chance.
        floor_share: see FLOOR_SHARE; in [0, 1].
    """
    probabilities = pair_probabilities(ratings, covariance, eligible, floor_share)
    cell = int(generator.choice(probabilities.size, p=probabilities.ravel()))
    first, second = divmod(cell, len(probabilities))
    return PairChoice(first, second, float(probabilities[first, second]))


def pair_probabilities(
    ratings: Ratings, covariance: np.ndarray, eligible: np.ndarray, floor_share: float = FLOOR_SHARE
) -> np.ndarray:
    """Return the probability of each ordered pair (position A, position B); shape (models, models).

    With probability `floor_share` all pairs of eligible models are equally likely. Otherwise it is the pair that
    reduces the variance most, or one of those that do so equally. Either position is equally likely.
    """
    allowed = np.logical_and.outer(eligible, eligible)
    np.fill_diagonal(allowed, val=False)
    if not allowed.any():
        msg = f"a battle needs two eligible models, and there are {np.count_nonzero(eligible)}"
        raise ValueError(msg)
    reductions = np.where(allowed, variance_reductions(ratings, covariance), -np.inf)
    best = reductions >= reductions.max() * (1 - EQUAL)
    probabilities: np.ndarray = floor_share * allowed / allowed.sum() + (1 - floor_share) * best / best.sum()
    return probabilities


EQUAL = 1e-9
"""Reductions that differ by a smaller part are equal."""


def variance_reductions(ratings: Ratings, covariance: np.ndarray) -> np.ndarray:
    """Return by how much a vote on each pair would reduce the sum of the variances of the strengths.

    A vote on (i, j) adds the information w on x_i - x_j. With a the difference of the two unit vectors and covariance
    C, it reduces the trace of C by w |C a|^2 / (1 + w a' C a) (Sherman and Morrison 1950): A-optimality.
    """
    squares = covariance @ covariance
    information = vote_information(ratings)
    reductions: np.ndarray = information * _quadratic(squares) / (1 + information * _quadratic(covariance))
    return reductions


def covariance_after(ratings: Ratings, covariance: np.ndarray, first: int, second: int) -> np.ndarray:
    """Return the covariance expected after a vote on this pair.

    The caller applies it to each battle that is under way, so that visitors who come at the same time get other pairs.
    """
    side = covariance[:, first] - covariance[:, second]
    information = float(vote_information(ratings)[first, second])
    reduced: np.ndarray = covariance - np.outer(side, side) * (
        information / (1 + information * (side[first] - side[second]))
    )
    return reduced


def vote_information(ratings: Ratings) -> np.ndarray:
    """Return the expected Fisher information of one vote on the difference of two strengths, averaged over positions.

    A vote that is "both bad" has none. Shape (models, models), symmetric.
    """
    models = np.arange(len(ratings.strengths))
    by_outcome = outcome_probabilities(ratings, models[:, None], models[None, :])
    first, second, tie = (by_outcome[..., each] for each in (Outcome.FIRST, Outcome.SECOND, Outcome.TIE))
    decisive, lead = first + second, first - second
    information = (decisive - lead**2 / (decisive + tie)) / 4
    average: np.ndarray = (information + information.T) / 2
    return average


def _quadratic(matrix: np.ndarray) -> np.ndarray:
    """Return a' M a for each pair, with a the difference of their unit vectors."""
    diagonal = np.diag(matrix)
    forms: np.ndarray = diagonal[:, None] + diagonal[None, :] - 2 * matrix
    return forms
