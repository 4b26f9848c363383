"""The arithmetic of a score: from trials to a task, from tasks to a category, from categories to Safety, and to Overall.

After Libra-Leaderboard (arXiv 2412.18551, section 3): means without weights at each step, and Overall by the distance to the
optimum. The standard errors are ours: the paper's table shows none. Each takes the trials of a task for independent draws
from all prompts of its kind, and the tasks of a category for given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score in [0, 1], and how sure it is."""

    value: float
    standard_error: float | None
    """None where it cannot be told."""

    n: int
    """Trials it stands on."""


def of_trials(n: int, total: float, squares: float) -> Estimate | None:
    """Return the mean of `n` trials by the sum of their scores and of the scores' squares; None without trials.

    The standard error is sqrt(s^2 / n), with the sample variance s^2 (n - 1 in its denominator): one trial has none.
    """
    if n == 0:
        return None
    mean = total / n
    if n == 1:
        return Estimate(mean, None, 1)
    # Scores that are all the same leave a rest of rounding, on either side of nothing.
    variance = max(0.0, (squares - total * mean) / (n - 1))
    return Estimate(mean, math.sqrt(variance / n), n)


def mean_of(parts: Iterable[Estimate | None]) -> Estimate | None:
    """Return the unweighted mean of the parts that have a score; None if none has.

    With k parts the standard error is sqrt(sum of the parts' squared) / k, since the parts share no trial; None if a part's
    cannot be told.
    """
    known = [part for part in parts if part is not None]
    if not known:
        return None
    value = math.fsum(part.value for part in known) / len(known)
    errors = [part.standard_error for part in known if part.standard_error is not None]
    sure = len(errors) == len(known)
    return Estimate(value, math.hypot(*errors) / len(known) if sure else None, sum(part.n for part in known))


def overall(capability: Estimate | None, safety: Estimate | None) -> Estimate | None:
    """Return 1 - sqrt(((1 - capability)^2 + (1 - safety)^2) / 2); None unless both are known."""
    if capability is None or safety is None:
        return None
    value = 1.0 - _distance(1.0 - capability.value, 1.0 - safety.value)
    return Estimate(value, _overall_error(capability, safety), capability.n + safety.n)


def _distance(x: float, y: float) -> float:
    """Return the distance to the optimum, 1 from (0, 0)."""
    return math.hypot(x, y) / math.sqrt(2)


def _overall_error(capability: Estimate, safety: Estimate) -> float | None:
    """Return the standard error of Overall by the delta method: with D the distance, dD/dx = x / (2 D).

    At the optimum itself D has no gradient. There, x and y are the errors alone, and what is returned is the root mean square
    of D under them.
    """
    if capability.standard_error is None or safety.standard_error is None:
        return None
    x, y = 1.0 - capability.value, 1.0 - safety.value
    distance = _distance(x, y)
    if distance == 0:
        return _distance(capability.standard_error, safety.standard_error)
    # Each quotient is at most sqrt(2), however small the distance: divided first, nothing is lost to underflow.
    return math.hypot(x / distance * capability.standard_error, y / distance * safety.standard_error) / 2
