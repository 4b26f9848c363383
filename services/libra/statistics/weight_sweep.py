"""How the ranking depends on the weight between safety and capability.

Overall with weight w is 1 - sqrt(w (1 - safety)^2 + (1 - w) (1 - capability)^2). The squared distance is linear in w, so two
models change places at most once, at a weight that is known exactly: nothing is searched for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

SAME = 1e-12
"""Weights closer than this are one: what differs beyond is rounding."""

Point = tuple[str, float, float]
"""A model, its capability and its safety."""


@dataclass(frozen=True, slots=True)
class Range:
    """Weights of safety over which the ranking stays the same."""

    low: float
    high: float
    models: tuple[str, ...]
    """The best first; equals by name."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """The weight of safety at which two models change places."""

    weight: float
    above: str
    """The model that is better above it."""

    below: str
    """The model that is better below it."""


def ranges(models: Sequence[Point]) -> tuple[list[Range], list[Crossing]]:
    """Return the ranges of weight, from 0 to 1 without gaps, and the crossings within, by weight."""
    found = [crossing for one, other in combinations(models, 2) if (crossing := _crossing(one, other))]
    crossings = sorted(found, key=lambda crossing: (crossing.weight, crossing.above, crossing.below))
    ends = [0.0]
    for crossing in crossings:
        if crossing.weight - ends[-1] > SAME and 1.0 - crossing.weight > SAME:
            ends.append(crossing.weight)
    return _merged(models, [*ends, 1.0]), crossings


def _crossing(one: Point, other: Point) -> Crossing | None:
    """Return where the lines of two models cross inside (0, 1), if they do."""
    at_zero = _squared(one, 0.0) - _squared(other, 0.0)
    at_one = _squared(one, 1.0) - _squared(other, 1.0)
    if at_zero * at_one >= 0:
        return None
    above, below = (one, other) if at_one < 0 else (other, one)
    return Crossing(at_zero / (at_zero - at_one), above[0], below[0])


def _merged(models: Sequence[Point], ends: Sequence[float]) -> list[Range]:
    result: list[Range] = []
    for low, high in pairwise(ends):
        order = tuple(
            point[0] for point in sorted(models, key=lambda point: (_squared(point, (low + high) / 2), point[0]))
        )
        if result and result[-1].models == order:
            result[-1] = Range(result[-1].low, high, order)
        else:
            result.append(Range(low, high, order))
    return result


def _squared(point: Point, weight: float) -> float:
    _, capability, safety = point
    return weight * (1.0 - safety) ** 2 + (1.0 - weight) * (1.0 - capability) ** 2
