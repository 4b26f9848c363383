"""The ranking at every weight of safety against capability.

Overall with weight w is 1 - sqrt(w (1 - safety)^2 + (1 - w) (1 - capability)^2). The squared distance is linear in w,
so that two models change places at most once, at a weight that follows exactly, without a search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

TOLERANCE = 1e-12
"""Two weights closer than this are equal: their difference is a rounding error."""

Point = tuple[str, float, float]
"""A model with its capability and its safety."""


@dataclass(frozen=True, slots=True)
class Range:
    """Weights of safety for which the ranking is the same."""

    low: float
    high: float
    models: tuple[str, ...]
    """The best first; equal models by name."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """The weight of safety at which two models change places."""

    weight: float
    above: str
    """The model that is better at larger weights."""

    below: str
    """The model that is better at smaller weights."""


def ranges(models: Sequence[Point]) -> tuple[list[Range], list[Crossing]]:
    """Return the ranges of weights, from 0 to 1 without gaps, and all crossings, in order of weight."""
    found = [crossing for one, other in combinations(models, 2) if (crossing := _crossing(one, other))]
    crossings = sorted(found, key=lambda crossing: (crossing.weight, crossing.above, crossing.below))
    ends = [0.0]
    for crossing in crossings:
        if crossing.weight - ends[-1] > TOLERANCE and 1.0 - crossing.weight > TOLERANCE:
            ends.append(crossing.weight)
    return _merged(models, [*ends, 1.0]), crossings


def _crossing(one: Point, other: Point) -> Crossing | None:
    """Return where the squared distances of two models are equal, if that is inside (0, 1)."""
    at_zero = _squared_distance(one, 0.0) - _squared_distance(other, 0.0)
    at_one = _squared_distance(one, 1.0) - _squared_distance(other, 1.0)
    if at_zero * at_one >= 0:
        return None
    above, below = (one, other) if at_one < 0 else (other, one)
    return Crossing(at_zero / (at_zero - at_one), above[0], below[0])


def _merged(models: Sequence[Point], ends: Sequence[float]) -> list[Range]:
    """Return the ranking between each two neighbouring ends; neighbours with the same ranking are one range."""
    result: list[Range] = []
    for low, high in pairwise(ends):
        order = _ranking(models, (low + high) / 2)
        if result and result[-1].models == order:
            result[-1] = Range(result[-1].low, high, order)
        else:
            result.append(Range(low, high, order))
    return result


def _ranking(models: Sequence[Point], weight: float) -> tuple[str, ...]:
    ordered = sorted(models, key=lambda point: (_squared_distance(point, weight), point[0]))
    return tuple(name for name, _, _ in ordered)


def _squared_distance(point: Point, weight: float) -> float:
    _, capability, safety = point
    return weight * (1.0 - safety) ** 2 + (1.0 - weight) * (1.0 - capability) ** 2
