"""Ranks, and how sure they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from libra.statistics.rank_intervals import rank_intervals
from libra.statistics.score import Score

SAME_DIGITS = 12
"""Two scores that agree to so many digits share a rank: what differs beyond is rounding."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's ranks, from 1; 0 without an Overall."""

    rank: int = 0
    low: int = 0
    """The best rank that the data do not rule out, at 95 % for all models at once."""

    high: int = 0
    """The worst."""

    by_sum: int = 0
    by_norm: int = 0


UNRANKED = Standing()
"""Of a model without an Overall."""


@dataclass(frozen=True, slots=True)
class Overalls:
    """A model's Overall by each formula."""

    distance: Score
    sum: Score
    norm: Score


def standings(overalls: Sequence[Overalls | None]) -> list[Standing]:
    """Return the standing of each model among those that have an Overall; models with the same one share a rank."""
    ranked = [overall for overall in overalls if overall is not None]
    spans = rank_intervals([overall.distance for overall in ranked])
    ranks = (
        _ranks([overall.distance for overall in ranked]),
        _ranks([overall.sum for overall in ranked]),
        _ranks([overall.norm for overall in ranked]),
    )
    found = iter(
        Standing(rank, low, high, by_sum, by_norm)
        for (low, high), rank, by_sum, by_norm in zip(spans, *ranks, strict=True)
    )
    return [UNRANKED if overall is None else next(found) for overall in overalls]


def level(score: Score | None) -> float:
    """Return what scores are ranked by; 0 without one."""
    return round(score.value, SAME_DIGITS) if score else 0.0


def _ranks(scores: Sequence[Score]) -> list[int]:
    """Return 1 + how many are higher, for each."""
    ascending = sorted(map(level, scores))
    return [1 + len(ascending) - bisect_right(ascending, level(score)) for score in scores]
