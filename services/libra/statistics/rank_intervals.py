"""The ranks of models that are consistent with the data."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import permutations

import numpy as np

from libra.statistics import interval, paired_tests
from libra.statistics.effective_sample_size import degrees_of_freedom
from libra.statistics.score import Influences, Score


def rank_intervals(scores: Sequence[Score]) -> list[tuple[int, int]]:
    """Return the best and the worst rank of each score, at 95 % for all at once; the highest score has rank 1.

    A model is significantly better than another if their difference, paired by the samples that both have, is
    significant after Holm's correction over all pairs. Of K models, its best rank is 1 + the number of significantly
    better ones, and its worst rank is K - the number of significantly worse ones (Mogstad, Romano, Shaikh and Wilhelm
    2024, "Inference for Ranks with Applications to Mobility across Neighbourhoods and Academic Achievement across
    Countries", Review of Economic Studies 91, section 3). A score whose standard error is unknown is compared with
    none: every rank is possible for it.
    """
    known = [index for index, score in enumerate(scores) if score.standard_error is not None]
    estimated = [scores[index] for index in known]
    values = np.array([score.value for score in estimated])
    better, worse = _significant_counts(values, _difference_errors(estimated))
    spans = [(1, len(scores))] * len(scores)
    for index, above, below in zip(known, better, worse, strict=True):
        spans[index] = (1 + above, len(scores) - below)
    return spans


def rank_intervals_from_covariance(values: np.ndarray, covariance: np.ndarray) -> list[tuple[int, int]]:
    """Return the best and the worst rank of each value, as `rank_intervals` does, for normal errors.

    Args:
        values: estimates; shape (values,).
        covariance: that of their errors; shape (values, values).
    """
    variances = np.diag(covariance)
    errors = np.sqrt(np.maximum(variances[:, None] + variances[None, :] - 2 * covariance, 0.0))
    better, worse = _significant_counts(values, errors)
    return [(1 + above, len(values) - below) for above, below in zip(better, worse, strict=True)]


def find_significant_differences(scores: Sequence[Score]) -> np.ndarray:
    """Return which scores are better than which others, shape (scores, scores): row minus column.

    True if the 95 % interval of the difference (`interval.of_difference`) lies above 0. What belongs to one score, and
    the correlations, are computed once and not for each pair: two hundred scores are 40,000 pairs.
    """
    spreads = [interval.spread_of(score) for score in scores]
    shared = correlations(scores)
    freedoms = _DegreesOfFreedom(scores)
    found = np.zeros((len(scores), len(scores)), dtype=bool)
    for high, low in permutations(range(len(scores)), 2):
        one, other = spreads[high], spreads[low]
        if one is None or other is None or one.value <= other.value:
            continue
        spread = interval.DifferenceSpread(one, other, float(shared[high, low]), freedoms.of_pair(high, low))
        found[high, low] = spread.ends(interval.Z).low > 0
    return found


class _DegreesOfFreedom:
    """The degrees of freedom of differences: pairs of scores over the same tasks with the same weights share them."""

    def __init__(self, scores: Sequence[Score]) -> None:
        self._scores = scores
        self._shapes = [_shape_of(score) for score in scores]
        self._known: dict[tuple[Hashable, Hashable], float] = {}

    def of_pair(self, one: int, other: int) -> float:
        key = self._shapes[one], self._shapes[other]
        if key not in self._known:
            self._known[key] = degrees_of_freedom(self._scores[one].influences, self._scores[other].influences)
        return self._known[key]


def _shape_of(score: Score) -> Hashable:
    """Return everything that the degrees of freedom depend on."""
    return frozenset((source, each.weight, each.clusters) for source, each in score.influences.items())


def _significant_counts(values: np.ndarray, errors: np.ndarray) -> tuple[list[int], list[int]]:
    """Return for each value the number of significantly better ones, and of significantly worse ones.

    Args:
        values: shape (values,).
        errors: the standard error of the difference of a higher value (row) and a lower one (column).
    """
    order = np.argsort(-values, kind="stable")
    high, low = (order[side] for side in np.triu_indices(len(values), 1))
    ps = paired_tests.normal_ps(values[high] - values[low], errors[high, low])
    significant = np.array(paired_tests.holm(ps.tolist()), dtype=float) <= 1 - interval.CONFIDENCE
    better = np.bincount(low[significant], minlength=len(values))
    worse = np.bincount(high[significant], minlength=len(values))
    return better.tolist(), worse.tolist()


def _difference_errors(scores: Sequence[Score]) -> np.ndarray:
    """Return the standard errors of the differences of a higher score (row) and a lower one (column).

    The standard error of a pair is interval.half_width on the sides that face each other, divided by 1.96.
    """
    values = np.array([score.value for score in scores])
    ends = [interval.of_score(score) or interval.normal(score.value, 0.0) for score in scores]
    down = (values - np.array([end.low for end in ends]))[:, None]
    up = (np.array([end.high for end in ends]) - values)[None, :]
    squares = down**2 + up**2 - 2 * correlations(scores) * down * up
    errors: np.ndarray = np.sqrt(np.maximum(squares, 0.0)) / interval.Z
    return errors


def correlations(scores: Sequence[Score]) -> np.ndarray:
    """Return the matrix of the correlations of the scores' errors, shape (scores, scores); 0 if one has no error."""
    covariances = np.zeros((len(scores), len(scores)))
    by_source: dict[Hashable, list[int]] = {}
    for index, score in enumerate(scores):
        for source in score.influences:
            by_source.setdefault(source, []).append(index)
    for source, members in by_source.items():
        rows = _aligned([scores[index].influences[source] for index in members])
        covariances[np.ix_(members, members)] += rows @ rows.T
    errors = np.sqrt(np.diag(covariances))
    product = np.outer(errors, errors)
    matrix: np.ndarray = np.divide(covariances, product, out=np.zeros_like(covariances), where=product > 0)
    return matrix.clip(-1.0, 1.0)


def _aligned(influences: Sequence[Influences]) -> np.ndarray:
    """Return the influences with one row for each score and one column for each sample, shape (scores, samples)."""
    first = influences[0].ordinals
    if all(np.array_equal(each.ordinals, first) for each in influences):
        return np.array([each.values for each in influences])
    ordinals = np.unique(np.concatenate([each.ordinals for each in influences]))
    rows = np.zeros((len(influences), len(ordinals)))
    for row, each in zip(rows, influences, strict=True):
        row[np.searchsorted(ordinals, each.ordinals)] = each.values
    return rows
