"""Tests of a difference between two models, and the differences that such a test can detect."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr, ndtr, ndtri

from libra.statistics.interval import CONFIDENCE

MAX_EXACT = 15
"""Up to this number of differences other than 0, all sign patterns are enumerated: at most 32,768."""

DRAWS = 10_000
"""The number of sign patterns drawn at random if there are more differences."""


def mcnemar(b: int, c: int) -> float:
    """Return the exact two-sided p of McNemar's test (1947).

    Only the first model is right on `b` samples, and only the second on `c`. Without a difference, b is binomial with
    b + c trials and probability 1/2; p = min(1, 2 P(X <= min(b, c))).
    """
    return min(1.0, 2.0 * float(bdtr(min(b, c), b + c, 0.5))) if b + c else 1.0


def permutation(differences: Sequence[float], seed: int) -> float:
    """Return the two-sided p of no difference, from the random signs of paired differences (Fisher 1935).

    Up to MAX_EXACT differences other than 0 it is exact. Otherwise DRAWS sign patterns are drawn, and
    p = (hits + 1) / (DRAWS + 1) (Phipson and Smyth 2010), so that p is never 0. The same seed gives the same p.
    """
    values, counts = np.unique(np.abs(np.asarray(differences, dtype=float)), return_counts=True)
    values, counts = values[values > 0], counts[values > 0]
    # A rounding error must not exclude a sign pattern whose sum equals the observed one.
    observed = abs(math.fsum(differences)) * (1 - 1e-9)
    if counts.sum() <= MAX_EXACT:
        sums = _sums_of_all_sign_patterns(np.repeat(values, counts))
        return float(np.mean(np.abs(sums) >= observed))
    sums = np.zeros(DRAWS)
    generator = np.random.default_rng(seed)
    for value, count in zip(values, counts, strict=True):
        sums += value * (2 * generator.binomial(count, 0.5, DRAWS) - count)
    return float((np.count_nonzero(np.abs(sums) >= observed) + 1) / (DRAWS + 1))


def _sums_of_all_sign_patterns(values: np.ndarray) -> np.ndarray:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def normal_p(value: float, standard_error: float) -> float:
    """Return the two-sided p of the hypothesis that the true value is 0, for a normal error."""
    return float(normal_ps(np.array([value]), np.array([standard_error]))[0])


def normal_ps(values: np.ndarray, standard_errors: np.ndarray) -> np.ndarray:
    """Return 2 Phi(-|value| / standard error) for each value. With a standard error of 0 it is 1 for 0, else 0."""
    without_error = np.where(values == 0, 0.0, np.inf)
    sizes = np.divide(np.abs(values), standard_errors, out=without_error, where=standard_errors > 0)
    ps: np.ndarray = 2.0 * ndtr(-sizes)
    return ps


def holm(ps: Sequence[float]) -> list[float]:
    """Return each p adjusted for the number of tests (Holm 1979), in the order of `ps`.

    The i-th smallest of m is multiplied by m - i + 1. No adjusted p is below that of a smaller p, and none is above 1.
    """
    adjusted = [0.0] * len(ps)
    least = 0.0
    for smaller, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        least = max(least, min(1.0, (len(ps) - smaller) * ps[index]))
        adjusted[index] = least
    return adjusted


def detectable_effect(standard_error: float, power: float = 0.8) -> float:
    """Return the smallest true difference that a two-sided test at 5 % detects with this power.

    It is (z(0.975) + z(power)) standard errors (Miller 2024, arXiv 2411.00640, section 5).
    """
    return float(ndtri((1 + CONFIDENCE) / 2) + ndtri(power)) * standard_error
