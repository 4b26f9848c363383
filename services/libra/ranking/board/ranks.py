"""Ranks of models, and the 95 % intervals of the ranks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from libra.statistics.rank_intervals import rank_intervals
from libra.statistics.score import Score

EQUAL_DIGITS = 12
"""Scores that agree in this many digits share a rank: a smaller difference is rounding."""


@dataclass(frozen=True, slots=True)
class ModelRanks:
    """A model's ranks, from 1; 0 without an Overall."""

    rank: int = 0
    low: int = 0
    """The best rank that the data do not rule out, at 95 % for all models together."""

    high: int = 0
    """The worst."""

    by_sum: int = 0
    by_norm: int = 0


UNRANKED = ModelRanks()
"""For a model without an Overall."""


@dataclass(frozen=True, slots=True)
class OverallScores:
    """A model's Overall by each formula."""

    distance: Score
    sum: Score
    norm: Score


def rank_models(overalls: Sequence[OverallScores | None]) -> list[ModelRanks]:
    """Return the ranks of each model among those with an Overall; models with the same Overall share a rank."""
    ranked = [overall for overall in overalls if overall is not None]
    intervals = rank_intervals([overall.distance for overall in ranked])
    ranks = (
        _rank([overall.distance for overall in ranked]),
        _rank([overall.sum for overall in ranked]),
        _rank([overall.norm for overall in ranked]),
    )
    model_ranks = iter(
        ModelRanks(rank, low, high, by_sum, by_norm)
        for (low, high), rank, by_sum, by_norm in zip(intervals, *ranks, strict=True)
    )
    return [UNRANKED if overall is None else next(model_ranks) for overall in overalls]


def rounded_value(score: Score | None) -> float:
    """Return the value that scores are ranked by; 0 without a score."""
    return round(score.value, EQUAL_DIGITS) if score else 0.0


def _rank(scores: Sequence[Score]) -> list[int]:
    """Return for each score 1 + the number of higher ones."""
    ascending = sorted(map(rounded_value, scores))
    return [1 + len(ascending) - bisect_right(ascending, rounded_value(score)) for score in scores]
