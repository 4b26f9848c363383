"""A score, and what each sample adds to its error: its influence.

A task's mean moves by (x - mean) / N when a trial scores x. Added up by sample, these are independent of each other, and
their squares add up to the variance of the mean, clustered by sample (Liang and Zeger 1986; Miller 2024, "Adding Error
Bars to Evals", arXiv 2411.00640, section 2.2). A mean of means, a distance and a difference are smooth functions of task
means: their influences are the same sums with other weights (the delta method), so whatever samples two parts share,
attacked or plain, is accounted for by adding before squaring.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from libra.statistics.score import Block, Score, Section

MOST_EVENTS = 100
"""So many trials that differ are enough to know a variance by."""

ROUNDING = 1e-15
"""More than the variance of scores in [0, 1] is off by rounding, for up to a million trials."""

ONE = np.zeros(1, dtype=np.int64)
"""The only ordinal of a space that holds a single source of error."""


def mean(section: Section) -> Score | None:
    """Return the mean over a section's trials, with its error clustered by sample; None without trials.

    With N trials of k samples, sample i's influence is (sum_i - count_i mean) / N, widened by sqrt(k / (k - 1)). With one
    trial a sample the standard error is sqrt(s^2 / k); a single sample has none.
    """
    counts, sums = np.asarray(section.counts), np.asarray(section.sums)
    n = int(counts.sum())
    if n == 0:
        return None
    value = float(sums.sum()) / n
    clusters = int(np.count_nonzero(counts))
    if clusters == 1:
        return Score(value, n, None)
    influence = (sums - counts * value) * (math.sqrt(clusters / (clusters - 1)) / n)
    return _score(value, n, {section.space: Block(np.asarray(section.ordinals), influence, 1.0, clusters)})


def mean_from_sums(n: int, total: float, squares: float) -> Score | None:
    """Return the mean of `n` trials by the sum of their scores and of the scores' squares; None without trials.

    The standard error is sqrt(s^2 / n) with the sample variance s^2; one trial has none. It takes the trials for independent
    of each other and of every other score.
    """
    if n == 0:
        return None
    value = total / n
    if n == 1:
        return Score(value, 1, None)
    variance = (squares - total * value) / (n - 1)
    # Scores that are all the same leave a rest of rounding, on either side of nothing.
    variance = variance if variance > ROUNDING else 0.0
    # Which trials differ is not known: as many are said to as would if all scores were 0 or 1.
    events = min(MOST_EVENTS, max(1, round(n * value * (1 - value))))
    influence = np.full(events, math.sqrt(variance / n / events))
    return _score(value, n, {object(): Block(np.arange(events), influence, 1.0, n)})


def external_score(value: float, standard_error: float | None, n: int = 0) -> Score:
    """Return a figure from elsewhere. Without a standard error it is not taken for exact: its error cannot be told."""
    if standard_error is None:
        return Score(value, n, None)
    return _score(value, n, {object(): noise(standard_error)})


def noise(standard_error: float) -> Block:
    """Return the block of an error that comes from no sample."""
    return Block(ONE, np.array([standard_error]), 0.0, 0)


def average(parts: Sequence[Score]) -> Score:
    """Return the unweighted mean of at least one score. Parts that share samples are not taken for independent."""
    return transform(math.fsum(part.value for part in parts) / len(parts), [(part, 1 / len(parts)) for part in parts])


def difference(a: Score, b: Score) -> Score:
    """Return a - b, paired where the two share samples. It stands on the trials of both."""
    return replace(transform(a.value - b.value, [(a, 1.0), (b, -1.0)]), signed=True)


def transform(
    value: float, parts: Sequence[tuple[Score, float]], extra: Mapping[Hashable, Block] | None = None
) -> Score:
    """Return the score `value` = f(parts), given the derivative of f by each part (the delta method).

    `extra` holds sources of error besides the parts.
    """
    n = sum(part.n for part, _ in parts)
    if any(part.standard_error is None for part, _ in parts):
        return Score(value, n, None)
    pieces = ((space, block.scaled(by)) for part, by in parts for space, block in part.blocks.items())
    return _score(value, n, _added([*pieces, *(extra or {}).items()]))


def covariance(a: Score, b: Score) -> float:
    """Return the covariance of two scores: what they owe to samples, or other sources of error, that they share."""
    return math.fsum(block.dot(b.blocks[space]) for space, block in a.blocks.items() if space in b.blocks)


def _added(pieces: Iterable[tuple[Hashable, Block]]) -> dict[Hashable, Block]:
    blocks: dict[Hashable, Block] = {}
    for space, block in pieces:
        blocks[space] = blocks[space].plus(block) if space in blocks else block
    return blocks


def _score(value: float, n: int, blocks: Mapping[Hashable, Block]) -> Score:
    return Score(value, n, math.sqrt(math.fsum(block.variance for block in blocks.values())), blocks)
