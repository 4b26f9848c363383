"""Standard errors from influences: how far each sample moved a score.

The mean m of N trials moves by (x - m) / N if a trial scores x. The sums of these terms by sample are independent of
each other, and the sum of their squares is the variance of the mean, clustered by sample (Liang and Zeger 1986; Miller
2024, "Adding Error Bars to Evals", arXiv 2411.00640, section 2.2).

Averages of task means, Overall and differences are smooth functions of task means. Their influences are weighted sums
of the influences on these means (the delta method). Adding by sample before squaring accounts for every sample that two
parts share, with or without an attack.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from libra.statistics.score import Influences, Score, TrialsBySample

MAX_EVENTS = 100
"""Beyond this number of trials that differ from the others, a variance is taken as known."""

ROUNDING = 1e-15
"""Above the rounding error in the variance of scores in [0, 1], for up to a million trials."""

SINGLE_ORDINAL = np.zeros(1, dtype=np.int64)
"""The only ordinal of an error that comes from no sample."""


def mean(trials: TrialsBySample, weight: float = 1.0) -> Score | None:
    """Return the mean score of a task's trials, with its error clustered by sample; None without trials.

    `weight` is the change of the mean if every trial scored 1 more; another one than 1 is that of corrected scores.

    With N trials of k samples, the influence of sample i is (sum_i - count_i mean) / N * sqrt(k / (k - 1)). With one
    trial of each sample the standard error is sqrt(s^2 / k), s^2 the sample variance. It is unknown for a
    single sample.
    """
    counts, sums = np.asarray(trials.counts), np.asarray(trials.sums)
    n = int(counts.sum())
    if n == 0:
        return None
    value = float(sums.sum()) / n
    clusters = int(np.count_nonzero(counts))
    if clusters == 1:
        return Score(value, n, None)
    values = (sums - counts * value) * (math.sqrt(clusters / (clusters - 1)) / n)
    return score_of(value, n, {trials.task: Influences(np.asarray(trials.ordinals), values, weight, clusters)})


def mean_from_sums(
    n: int, total: float, squares: float, weight: float = 1.0, positive_share: float | None = None
) -> Score | None:
    """Return the mean of `n` trials from the sums of their scores and of the squared scores; None without trials.

    `weight` is as in `mean`. For scores of another range than [0, 1], `positive_share` is the share of the higher ones.

    The standard error is sqrt(s^2 / n) with the sample variance s^2; it is unknown for a single trial. The trials are
    assumed to be independent of each other and of every other score.
    """
    if n == 0:
        return None
    value = total / n
    if n == 1:
        return Score(value, 1, None)
    variance = (squares - total * value) / (n - 1)
    # Equal scores leave a rounding error, which may be negative.
    variance = variance if variance > ROUNDING else 0.0
    # The sums do not tell how many trials differ. We assume the number that would differ if all scores were 0 or 1.
    share = value if positive_share is None else positive_share
    events = min(MAX_EVENTS, max(1, round(n * share * (1 - share))))
    values = np.full(events, math.sqrt(variance / n / events))
    return score_of(value, n, {object(): Influences(np.arange(events), values, weight, n)})


def external_score(value: float, standard_error: float | None, n: int = 0) -> Score:
    """Return a score from outside Libra, independent of every other score.

    A figure without a standard error is not taken for exact: its error is unknown.
    """
    if standard_error is None:
        return Score(value, n, None)
    return score_of(value, n, {object(): unsampled_error(standard_error)})


def unsampled_error(standard_error: float) -> Influences:
    """Return the influences of an error that comes from no sample."""
    return Influences(SINGLE_ORDINAL, np.array([standard_error]), 0.0, 0)


def average(parts: Sequence[Score]) -> Score:
    """Return the unweighted mean of one or more scores, which may share samples."""
    return transform(math.fsum(part.value for part in parts) / len(parts), [(part, 1 / len(parts)) for part in parts])


def limited(score: Score) -> Score:
    """Return the score cut to [0, 1]: a corrected score may lie outside. Its standard error stays."""
    return replace(score, value=min(1.0, max(0.0, score.value)))


def difference(a: Score, b: Score) -> Score:
    """Return a - b, paired by the samples that both have (Miller 2024, section 4.2)."""
    return replace(transform(a.value - b.value, [(a, 1.0), (b, -1.0)]), is_difference=True)


def transform(
    value: float, parts: Sequence[tuple[Score, float]], extra: Mapping[Hashable, Influences] | None = None
) -> Score:
    """Return the score `value` = f(parts) with its standard error by the delta method.

    Args:
        value: f(parts).
        parts: each part with the derivative of f by it.
        extra: further sources of error, besides the parts.
    """
    n = sum(part.n for part, _ in parts)
    if any(part.standard_error is None for part, _ in parts):
        return Score(value, n, None)
    pieces = ((source, each.scaled(by)) for part, by in parts for source, each in part.influences.items())
    return score_of(value, n, _added([*pieces, *(extra or {}).items()]))


def covariance(a: Score, b: Score) -> float:
    """Return the covariance of two scores, which comes from the samples and other sources of error that they share."""
    shared = ((mine, b.influences[source]) for source, mine in a.influences.items() if source in b.influences)
    return math.fsum(mine.covariance(theirs) for mine, theirs in shared)


def _added(pieces: Iterable[tuple[Hashable, Influences]]) -> dict[Hashable, Influences]:
    sums: dict[Hashable, Influences] = {}
    for source, each in pieces:
        sums[source] = sums[source].plus(each) if source in sums else each
    return sums


def score_of(value: float, n: int, influences: Mapping[Hashable, Influences]) -> Score:
    """Return the score of `n` trials whose variance is the sum of the squared influences."""
    variance = math.fsum(each.variance for each in influences.values())
    return Score(value, n, math.sqrt(variance), influences)
