"""Overall: how capability and safety become one figure.

After Libra-Leaderboard (arXiv 2412.18551, section 3), which weighs three formulas and takes the distance to the optimum:
the sum is blind to balance, the norm punishes it, the distance rewards it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from libra.statistics import interval
from libra.statistics.influence import transform
from libra.statistics.score import Interval, Score

Formula = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of capability and safety, rising in both."""

ANGLES = np.linspace(0.0, 2 * np.pi, 256, endpoint=False)
"""Where the rim of an ellipse is looked at: the extreme is missed by less than 1/10,000 of its half-axis."""

AT_REST = (math.sqrt(0.5), math.sqrt(0.5))
"""The gradient where a root has none: what it gives is the root mean square under the errors of both."""


def by_distance(capability: Score, safety: Score) -> Score:
    """Return 1 - sqrt(((1 - capability)^2 + (1 - safety)^2) / 2).

    With D the distance and x = 1 - capability, dD/dx = x / (2 D).
    """
    x, y = 1.0 - capability.value, 1.0 - safety.value
    distance = math.hypot(x, y) / math.sqrt(2)
    # Each quotient is at most sqrt(2), however small the distance: divided first, nothing is lost to underflow.
    gradient = (x / distance / 2, y / distance / 2) if distance > 0 else AT_REST
    return _both(1.0 - distance, capability, safety, gradient, _nearness)


def by_sum(capability: Score, safety: Score) -> Score:
    """Return (capability + safety) / 2."""
    return _both((capability.value + safety.value) / 2, capability, safety, (0.5, 0.5), _sum)


def by_norm(capability: Score, safety: Score) -> Score:
    """Return sqrt((capability^2 + safety^2) / 2)."""
    norm = math.hypot(capability.value, safety.value) / math.sqrt(2)
    gradient = (capability.value / norm / 2, safety.value / norm / 2) if norm > 0 else AT_REST
    return _both(norm, capability, safety, gradient, _norm)


def _both(value: float, capability: Score, safety: Score, gradient: tuple[float, float], formula: Formula) -> Score:
    """Return the score, with an interval made of those of both parts.

    Its ends are the formula's extremes on the ellipse whose half-axes are the distances from both scores to the ends of
    their intervals. For a plain mean that is MOVER (Zou and Donner 2008). A distance is curved, most of all near the optimum,
    and flat towards a part that is perfect: there a standard error would not see what that part may hide.
    """
    made = transform(value, [(capability, gradient[0]), (safety, gradient[1])])
    one, other = interval.of_score(capability), interval.of_score(safety)
    if one is None or other is None:
        return made
    shared = interval.correlation(capability, safety)
    steps = np.cos(ANGLES)
    across = shared * steps + math.sqrt(1 - shared**2) * np.sin(ANGLES)
    reached = formula(_moved(capability.value, one, steps), _moved(safety.value, other, across))
    return replace(made, limits=Interval(min(value, float(reached.min())), max(value, float(reached.max()))))


def _moved(value: float, ends: Interval, steps: np.ndarray) -> np.ndarray:
    """Return where `steps` in [-1, 1] lead, 1 being the upper end and -1 the lower."""
    moved: np.ndarray = value + np.where(steps > 0, ends.high - value, value - ends.low) * steps
    return moved


def _nearness(capability: np.ndarray, safety: np.ndarray) -> np.ndarray:
    nearness: np.ndarray = 1.0 - _norm(1.0 - capability, 1.0 - safety)
    return nearness


def _sum(capability: np.ndarray, safety: np.ndarray) -> np.ndarray:
    middle: np.ndarray = (capability + safety) / 2
    return middle


def _norm(capability: np.ndarray, safety: np.ndarray) -> np.ndarray:
    norm: np.ndarray = np.hypot(capability, safety) / math.sqrt(2)
    return norm
