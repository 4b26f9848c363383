"""Tests of a difference, and what they are able to find."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr, ndtr, ndtri

from libra.statistics.interval import LEVEL

EXACT = 15
"""Up to so many differences other than 0, every choice of signs is looked at: 32,768 of them."""

DRAWN = 10_000
"""Choices of signs that are drawn where there are more."""


def mcnemar(b: int, c: int) -> float:
    """Return the exact two-sided p of McNemar's test (1947): b samples only the one got right, c only the other.

    Under no difference b is binomial with b + c trials and p = 1/2; p = min(1, 2 P(X <= min(b, c))).
    """
    return min(1.0, 2.0 * float(bdtr(min(b, c), b + c, 0.5))) if b + c else 1.0


def permutation(differences: Sequence[float], seed: int) -> float:
    """Return the two-sided p of no difference, by flipping the signs of paired differences (Fisher 1935).

    Exact for at most EXACT differences other than 0; else DRAWN choices of signs are drawn, and p = (hits + 1) / (DRAWN + 1)
    (Phipson and Smyth 2010), so that p is never 0. The same seed gives the same p.
    """
    values, numbers = np.unique(np.abs(np.asarray(differences, dtype=float)), return_counts=True)
    values, numbers = values[values > 0], numbers[values > 0]
    # A choice of signs that comes as far as what was seen must not be missed for a rest of rounding.
    seen = abs(math.fsum(differences)) * (1 - 1e-9)
    if numbers.sum() <= EXACT:
        sums = _every(np.repeat(values, numbers))
        return float(np.mean(np.abs(sums) >= seen))
    sums = np.zeros(DRAWN)
    generator = np.random.default_rng(seed)
    for value, number in zip(values, numbers, strict=True):
        sums += value * (2 * generator.binomial(number, 0.5, DRAWN) - number)
    return float((np.count_nonzero(np.abs(sums) >= seen) + 1) / (DRAWN + 1))


def _every(values: np.ndarray) -> np.ndarray:
    """Return the sum under each choice of signs."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def normal_p(value: float, standard_error: float) -> float:
    """Return the two-sided p of a value that is 0 but for a normal error."""
    return float(normal_ps(np.array([value]), np.array([standard_error]))[0])


def normal_ps(values: np.ndarray, standard_errors: np.ndarray) -> np.ndarray:
    """Return the same for many: 2 Phi(-|value| / standard error). Without an error, 0 is certain and all else impossible."""
    impossible = np.where(values == 0, 0.0, np.inf)
    sizes = np.divide(np.abs(values), standard_errors, out=impossible, where=standard_errors > 0)
    ps: np.ndarray = 2.0 * ndtr(-sizes)
    return ps


def holm(ps: Sequence[float]) -> list[float]:
    """Return each p adjusted for all of them (Holm 1979), in the order given.

    The i-th smallest of m is multiplied by m - i + 1; none is less than one before it, none above 1.
    """
    adjusted = [0.0] * len(ps)
    least = 0.0
    for passed, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        least = max(least, min(1.0, (len(ps) - passed) * ps[index]))
        adjusted[index] = least
    return adjusted


def detectable_effect(standard_error: float, power: float = 0.8) -> float:
    """Return the least true difference that a two-sided test at 5 % finds with this power.

    (z(0.975) + z(power)) standard errors (Miller 2024, arXiv 2411.00640, section 5).
    """
    return float(ndtri((1 + LEVEL) / 2) + ndtri(power)) * standard_error
