"""The ranks that the data do not rule out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from libra.statistics import interval, paired
from libra.statistics.influence import Score


def rank_intervals(scores: Sequence[Score]) -> list[tuple[int, int]]:
    """Return the best and the worst rank of each score, at 95 % for all at once; the highest score has rank 1.

    A model is surely better than another if their difference, paired on the samples they share, stays significant after
    Holm's correction over all pairs. Its best rank is 1 + the number of those surely better, its worst K - the number of
    those surely worse (Mogstad, Romano, Shaikh and Wilhelm 2024, "Inference for Ranks with Applications to Mobility across
    Neighbourhoods and Academic Achievement across Countries", Review of Economic Studies 91, section 3). A score whose error
    cannot be told is surely better or worse than none.
    """
    pairs = list(combinations(range(len(scores)), 2))
    ps = paired.holm([_p(scores[one], scores[other]) for one, other in pairs])
    better, worse = [0] * len(scores), [0] * len(scores)
    for (one, other), p in zip(pairs, ps, strict=True):
        if p > 1 - interval.LEVEL:
            continue
        high, low = (one, other) if scores[one].value > scores[other].value else (other, one)
        better[low] += 1
        worse[high] += 1
    return [(1 + above, len(scores) - below) for above, below in zip(better, worse, strict=True)]


def _p(one: Score, other: Score) -> float:
    """Return the two-sided p of no difference: how far the two intervals reach towards each other is the error."""
    high, low = (one, other) if one.value >= other.value else (other, one)
    ends, reach = interval.of(high), interval.of(low)
    if ends is None or reach is None:
        return 1.0
    distance = interval.facing(high.value - ends.low, reach.high - low.value, interval.correlation(high, low))
    return paired.normal_p(high.value - low.value, distance / interval.Z)
