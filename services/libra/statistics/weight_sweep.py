"""The ranking at every weight of safety against capability.

Overall with weight w is 1 - sqrt(w (1 - safety)^2 + (1 - w) (1 - capability)^2). The squared distance is linear in w,
so that two models change places at most once, at a weight that follows exactly, without a search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

TOLERANCE = 1e-12
"""Two weights closer than this are equal: their difference is a rounding error."""

CHUNK = 1_000
"""The weights whose rankings are computed at once."""

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


def ranges(models: Sequence[Point], places: int | None = None) -> tuple[list[Range], list[Crossing]]:
    """Return the ranges of weights, from 0 to 1 without gaps, and all crossings, in order of weight.

    With `places`, a ranking has only its first places, and neighbours that agree in these are one range.
    """
    found = [crossing for one, other in combinations(models, 2) if (crossing := _crossing(one, other))]
    crossings = sorted(found, key=lambda crossing: (crossing.weight, crossing.above, crossing.below))
    ends = [0.0]
    for crossing in crossings:
        if crossing.weight - ends[-1] > TOLERANCE and 1.0 - crossing.weight > TOLERANCE:
            ends.append(crossing.weight)
    return _merged(models, [*ends, 1.0], places), crossings


def _crossing(one: Point, other: Point) -> Crossing | None:
    """Return where the squared distances of two models are equal, if that is inside (0, 1)."""
    at_zero = _squared_distance(one, 0.0) - _squared_distance(other, 0.0)
    at_one = _squared_distance(one, 1.0) - _squared_distance(other, 1.0)
    if at_zero * at_one >= 0:
        return None
    above, below = (one, other) if at_one < 0 else (other, one)
    return Crossing(at_zero / (at_zero - at_one), above[0], below[0])


def _merged(models: Sequence[Point], ends: Sequence[float], places: int | None) -> list[Range]:
    """Return the ranking between each two neighbouring ends; neighbours with the same ranking are one range."""
    result: list[Range] = []
    middles = np.array([(low + high) / 2 for low, high in pairwise(ends)])
    for (low, high), order in zip(pairwise(ends), _rankings(models, middles, places), strict=True):
        if result and result[-1].models == order:
            result[-1] = Range(result[-1].low, high, order)
        else:
            result.append(Range(low, high, order))
    return result


def _rankings(models: Sequence[Point], weights: np.ndarray, places: int | None) -> Iterator[tuple[str, ...]]:
    """Yield the ranking at each weight: all are sorted at once, since two hundred models cross ten thousand times."""
    ordered = sorted(models)
    names = [name for name, _, _ in ordered]
    capability, safety = (np.array([point[index] for point in ordered]) for index in (1, 2))
    for chunk in np.array_split(weights, max(1, len(weights) // CHUNK)):
        weight = chunk[:, None]
        distances = weight * (1.0 - safety) ** 2 + (1.0 - weight) * (1.0 - capability) ** 2
        # A stable sort leaves equal models in the order of their names.
        for row in np.argsort(distances, axis=1, kind="stable")[:, :places].tolist():
            yield tuple(names[index] for index in row)


def _squared_distance(point: Point, weight: float) -> float:
    _, capability, safety = point
    return weight * (1.0 - safety) ** 2 + (1.0 - weight) * (1.0 - capability) ** 2
