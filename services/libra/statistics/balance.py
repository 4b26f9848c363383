"""Overall: how capability and safety become one figure.

After Libra-Leaderboard (arXiv 2412.18551, section 3), which weighs three formulas and takes the distance to the optimum:
the sum is blind to balance, the norm punishes it, the distance rewards it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from libra.statistics import interval
from libra.statistics.influence import Score, transform
from libra.statistics.interval import Interval


def overall(capability: Score, safety: Score) -> Score:
    """Return 1 - sqrt(((1 - capability)^2 + (1 - safety)^2) / 2).

    With D the distance, dD/dx = x / (2 D). At the optimum D has no gradient; there it is the root mean square of D under
    the errors of both, and each part's influence counts 1 / sqrt(2).
    """
    x, y = 1.0 - capability.value, 1.0 - safety.value
    distance = math.hypot(x, y) / math.sqrt(2)
    if distance == 0:
        return _both(1.0, capability, safety, (math.sqrt(0.5), math.sqrt(0.5)), _distance)
    # Each quotient is at most sqrt(2), however small the distance: divided first, nothing is lost to underflow.
    return _both(1.0 - distance, capability, safety, (x / distance / 2, y / distance / 2), _distance)


def by_sum(capability: Score, safety: Score) -> Score:
    """Return (capability + safety) / 2."""
    return _both((capability.value + safety.value) / 2, capability, safety, (0.5, 0.5), _sum)


def by_norm(capability: Score, safety: Score) -> Score:
    """Return sqrt((capability^2 + safety^2) / 2). At 0 it has no gradient, and is taken as the distance is at 1."""
    norm = _norm(capability.value, safety.value)
    if norm == 0:
        return _both(0.0, capability, safety, (math.sqrt(0.5), math.sqrt(0.5)), _norm)
    return _both(norm, capability, safety, (capability.value / norm / 2, safety.value / norm / 2), _norm)


def by_weight(capability: float, safety: float, weight: float) -> float:
    """Return 1 - sqrt(w (1 - safety)^2 + (1 - w) (1 - capability)^2), with w = `weight` of safety in [0, 1]."""
    return 1.0 - math.sqrt(weight * (1.0 - safety) ** 2 + (1.0 - weight) * (1.0 - capability) ** 2)


def _both(
    value: float,
    capability: Score,
    safety: Score,
    gradient: tuple[float, float],
    formula: Callable[[float, float], float],
) -> Score:
    """Return the score with its interval, which is made of the intervals of both parts.

    Each end is as far off as the root of the squared steps that the formula makes when one part goes to its own end and the
    other stays (MOVER for a function that rises in both: Zou and Donner 2008). A part that lies where the formula is flat
    adds nothing to the standard error and yet moves an end.
    """
    made = transform(value, [(capability, gradient[0]), (safety, gradient[1])])
    one, other = interval.of(capability), interval.of(safety)
    if one is None or other is None:
        return made
    down = (value - formula(one.low, safety.value), value - formula(capability.value, other.low))
    up = (formula(one.high, safety.value) - value, formula(capability.value, other.high) - value)
    shared = interval.correlation(capability, safety)
    low, high = value - interval.facing(*down, -shared), value + interval.facing(*up, -shared)
    return replace(made, limits=Interval(max(0.0, low), min(1.0, high)))


def _distance(capability: float, safety: float) -> float:
    return 1.0 - math.hypot(1.0 - capability, 1.0 - safety) / math.sqrt(2)


def _sum(capability: float, safety: float) -> float:
    return (capability + safety) / 2


def _norm(capability: float, safety: float) -> float:
    return math.hypot(capability, safety) / math.sqrt(2)
