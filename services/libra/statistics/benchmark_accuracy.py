"""Benchmark accuracy: the mean over the very samples of a task, apart from how it would be on other samples.

NIST AI 800-3 (2026), "Expanding the AI Evaluation Toolbox with Statistical Models", tells it from generalised accuracy,
the mean over the population from which the samples were drawn. Both have the same estimate. The error of benchmark
accuracy comes only from the randomness of the answers to a given sample, which repeated epochs measure.
"""

from __future__ import annotations

import math

import numpy as np

from libra.statistics.influence import score_of
from libra.statistics.score import Influences, Score, TrialsBySample

MIN_REPEATED_SHARE = 0.5
"""The share of the samples that need a second trial; those with one trial are assumed to vary like the others."""

PSEUDO_DEVIATION = 0.5
"""Added to the sum of squares within samples, that of one sample with one success in two trials."""

EQUAL_EVENTS = 16
"""The number of equal influences that stand for the error: its size is known, so that no prior replaces it."""


def benchmark_mean(trials: TrialsBySample, squares: float) -> Score | None:
    """Return the mean score of a task's trials with its error for these samples; None without trials.

    With N trials of k samples, x of one trial and x_i the mean of its sample, the variance within samples is
    s^2 = (sum of (x - x_i)^2 + 1/2) / (N - k + 1), and the standard error is sqrt(s^2 / N). 1/2 stands for a deviation
    that may have been missed: equal answers in two epochs do not show that a third would be equal. The error is unknown
    unless at least half of the samples have two trials.

    Args:
        trials: the trials by sample.
        squares: the sum of the squared scores of all trials.
    """
    counts, sums = np.asarray(trials.counts, dtype=float), np.asarray(trials.sums, dtype=float)
    n = int(counts.sum())
    if n == 0:
        return None
    value = float(sums.sum()) / n
    counted = counts > 0
    if np.mean(counts[counted] > 1) < MIN_REPEATED_SHARE:
        return Score(value, n, None)
    within = max(0.0, squares - float(np.sum(sums[counted] ** 2 / counts[counted])))
    freedom = n - int(np.count_nonzero(counted))
    variance = (within + PSEUDO_DEVIATION) / (freedom + 1) / n
    possible = value * (1 - value)
    size = possible / variance if possible > 0 else float(n)
    influences = np.full(EQUAL_EVENTS, math.sqrt(variance / EQUAL_EVENTS))
    return score_of(value, n, {object(): Influences(np.arange(EQUAL_EVENTS), influences, 1.0, size)})
