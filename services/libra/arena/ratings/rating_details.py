"""Computes intervals, rank intervals and other details of ratings in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from libra.arena.ratings.rating_book import Scope
from libra.statistics.arena.clustered_errors import clustered_errors, strength_rank_intervals
from libra.statistics.arena.paired_comparison import ELO_PER_LOG_ODDS, elo, fit
from libra.statistics.arena.voter_skill import AdjustedRatings, fit_voter_skill
from libra.statistics.arena.votes import Votes, count_votes
from libra.statistics.arena.votes_to_change import votes_to_change
from libra.v1 import arena_pb2 as pb

MIN_VOTES = 2
"""Errors of fewer votes say nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class RatingDetails:
    """The uncertainty of the ratings of one scope, by number of the model."""

    time: datetime
    votes: int
    covariance: np.ndarray
    """Covariance of the strengths, in squared log odds."""
    errors: Sequence[float]
    """Standard errors, in points of the scale."""
    ranks: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Robustness:
    """Dependence of the ratings of all battles on few votes and on the voters' skill, by number of the model."""

    votes_to_change: Sequence[int]
    """0 if it is not known."""
    skill: Sequence[tuple[float, float]] | None
    """The adjusted rating and its standard error, in points of the scale; None for what no skill is fitted to."""


def compute_details(votes: Votes, models: int) -> RatingDetails | None:
    """Return the details of a scope; None with too few votes. Takes about a second for 1,000,000 votes."""
    if len(votes) < MIN_VOTES:
        return None
    counts = count_votes(votes, models)
    ratings = fit(counts)
    errors = clustered_errors(votes, ratings)
    return RatingDetails(
        time=datetime.now(UTC),
        votes=len(votes),
        covariance=errors.covariance,
        errors=(errors.standard_errors * ELO_PER_LOG_ODDS).tolist(),
        ranks=strength_rank_intervals(ratings, errors),
    )


def compute_robustness(votes: Votes, models: int, families: int, scope: Scope) -> Robustness | None:
    """Return the robustness of a scope; None with too few votes. Takes some seconds for 1,000,000 votes."""
    if len(votes) < MIN_VOTES:
        return None
    counts = count_votes(votes, models)
    has_skill = scope == Scope(pb.QUESTION_SAFETY)
    return Robustness(
        [change.votes if change else 0 for change in votes_to_change(counts, fit(counts))],
        _skill(fit_voter_skill(votes, models, families)) if has_skill else None,
    )


def _skill(adjusted: AdjustedRatings) -> list[tuple[float, float]]:
    values = elo(adjusted.resistances)
    errors = np.sqrt(np.maximum(np.diag(adjusted.covariance), 0.0)) * ELO_PER_LOG_ODDS
    return list(zip(values.tolist(), errors.tolist(), strict=True))
