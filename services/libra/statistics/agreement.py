"""Agreement of a judge with people, and of the members of a panel with each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from libra.statistics import interval

Level = Literal["nominal", "ordinal", "interval", "ratio"]
"""The level of measurement of a vote: equality, order, differences, or ratios of two votes have a meaning."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """The numbers of answers by the label of the judge and that of people."""

    tp: int
    """Both labels are positive."""

    fp: int
    """Only the judge's label is positive."""

    tn: int
    """Both labels are negative."""

    fn: int
    """Only the people's label is positive."""

    @property
    def n(self) -> int:
        """The number of all answers."""
        return self.tp + self.fp + self.tn + self.fn


@dataclass(frozen=True, slots=True)
class Rate:
    """A share or a coefficient with its 95 % interval."""

    value: float
    low: float
    high: float


def confusion(judge: Sequence[bool], people: Sequence[bool]) -> Confusion:
    """Count the answers by both labels, given in the same order.

    Raises:
        ValueError: the two sequences differ in length.
    """
    pairs = list(zip(map(bool, judge), map(bool, people), strict=True))
    return Confusion(*(pairs.count(kind) for kind in ((True, True), (True, False), (False, False), (False, True))))


def accuracy(counts: Confusion) -> Rate | None:
    """Return (TP + TN) / n; None without answers."""
    return share(counts.tp + counts.tn, counts.n)


def precision(counts: Confusion) -> Rate | None:
    """Return TP / (TP + FP); None if the judge labels no answer positive."""
    return share(counts.tp, counts.tp + counts.fp)


def recall(counts: Confusion) -> Rate | None:
    """Return TP / (TP + FN), the judge's sensitivity; None if people label no answer positive."""
    return share(counts.tp, counts.tp + counts.fn)


def specificity(counts: Confusion) -> Rate | None:
    """Return TN / (TN + FP); None if people label no answer negative."""
    return share(counts.tn, counts.tn + counts.fp)


def f1(counts: Confusion) -> Rate | None:
    """Return the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); None if one of them is None.

    It is 2 J / (1 + J) with the share J = TP / (TP + FP + FN). The ends of its interval are those of J,
    transformed alike.
    """
    if precision(counts) is None or recall(counts) is None:
        return None
    jaccard = share(counts.tp, counts.tp + counts.fp + counts.fn)
    return jaccard and _transformed(jaccard, lambda part: 2 * part / (1 + part))


def cohen_kappa(counts: Confusion) -> Rate | None:
    """Return Cohen's kappa (1960) with its interval; None if the judge or people use only one of the labels.

    The interval is that of the observed agreement p_o with the standard error (1 - p_e) times that of kappa (Fleiss,
    Cohen and Everitt 1969), transformed to kappa. It has a width even for perfect agreement on few answers.
    """
    judge = (counts.tp + counts.fp, counts.fn + counts.tn)
    people = (counts.tp + counts.fn, counts.fp + counts.tn)
    if 0 in judge or 0 in people:
        return None
    value, error = kappa_and_error(((counts.tp, counts.fp), (counts.fn, counts.tn)))
    beyond_chance = 1 - (judge[0] * people[0] + judge[1] * people[1]) / counts.n**2
    ends = interval.of_mean((counts.tp + counts.tn) / counts.n, error * beyond_chance, counts.n)
    return Rate(value, 1 - (1 - ends.low) / beyond_chance, 1 - (1 - ends.high) / beyond_chance)


def kappa_and_error(table: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return Cohen's kappa and its standard error for a square table of counts.

    kappa = (p_o - p_e) / (1 - p_e). Source of the standard error: Fleiss, Cohen and Everitt, "Large sample standard
    errors of kappa and weighted kappa", Psychological Bulletin 72 (1969).

    Args:
        table: the number of answers for each label by one rater (row) and by the other (column).
    """
    counts = np.asarray(table, dtype=float)
    n = counts.sum()
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    chance = float(rows @ columns)
    value = (float(np.trace(shares)) - chance) / (1 - chance)
    agreed = float(np.diag(shares) @ (1 - (rows + columns) * (1 - value)) ** 2)
    weights = (columns[:, None] + rows[None, :]) ** 2
    np.fill_diagonal(weights, 0.0)
    disagreed = (1 - value) ** 2 * float((shares * weights).sum())
    variance = agreed + disagreed - (value - chance * (1 - value)) ** 2
    return value, math.sqrt(max(0.0, variance) / n) / (1 - chance)


def krippendorff_alpha(votes: Sequence[Sequence[float | None]], level: Level = "nominal") -> float | None:
    """Return Krippendorff's alpha: 1 if all votes agree, 0 for agreement by chance, negative for less than that.

    alpha = 1 - D_o / D_e, with the observed and the expected disagreement

        D_o = sum over c, k of o_ck d(c, k) / n
        D_e = sum over c, k of n_c n_k d(c, k) / (n (n - 1))

    The coincidence o_ck is the number of pairs of votes (c, k) on the same answer, each pair divided by m - 1 for an
    answer with m votes; n_c = sum over k of o_ck, n = sum over c of n_c. d(c, k) is the squared difference of two
    values at the level of measurement (see `_squared_differences`).

    Sources: Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011); Hayes and Krippendorff, "Answering the
    call for a standard reliability measure for coding data", Communication Methods and Measures 1 (2007).

    Args:
        votes: one row for each answer, with the vote of each voter; None is a missing vote. An answer with fewer than
            two votes makes no pair and is ignored.
        level: the level of measurement of the votes.

    Returns:
        alpha, at most 1 and without a unit. None if it is undefined: no answer has two votes (no pairs), or all paired
        votes are equal (no variation, so that D_e is 0).

    Raises:
        ValueError: a vote is not finite, or is negative at level "ratio".
    """
    rows = [paired for row in votes if len(paired := [vote for vote in row if vote is not None]) > 1]
    sizes = np.array([len(row) for row in rows], dtype=int)
    values, places = np.unique(np.array([vote for row in rows for vote in row], dtype=float), return_inverse=True)
    if not np.isfinite(values).all() or (level == "ratio" and (values < 0).any()):
        raise ValueError(f"votes at level {level!r} must be finite, and at level 'ratio' at least 0")
    if len(values) <= 1:
        return None
    # The number of votes for each value (column) on each answer (row).
    counts = np.zeros((len(rows), len(values)))
    np.add.at(counts, (np.repeat(np.arange(len(rows)), sizes), places), 1.0)
    weighted = counts / (sizes - 1)[:, None]
    # The diagonal includes pairs of a vote with itself, which have no effect: d(c, c) = 0.
    coincidences = counts.T @ weighted
    totals = counts.sum(axis=0)
    squares = _squared_differences(values, totals, level)
    observed = float((coincidences * squares).sum())
    expected = float(totals @ squares @ totals) / (totals.sum() - 1)
    return float(1 - observed / expected)


def _squared_differences(values: np.ndarray, totals: np.ndarray, level: Level) -> np.ndarray:
    """Return the matrix d(c, k) for `values` in rising order; `totals` holds n_c, the number of votes for each.

    nominal     0 if c = k, else 1
    ordinal     (sum of n_g over the values g from c to k - (n_c + n_k) / 2)^2
    interval    (c - k)^2
    ratio       ((c - k) / (c + k))^2, and 0 if both are 0
    """
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "ordinal":
        # Each value becomes its mean rank, so that the difference of two counts the votes between them.
        values = np.cumsum(totals) - totals / 2
    differences = values[:, None] - values[None, :]
    if level == "ratio":
        sums = values[:, None] + values[None, :]
        differences = np.divide(differences, sums, out=np.zeros_like(differences), where=sums > 0)
    squares: np.ndarray = differences**2
    return squares


def share(part: int, whole: int) -> Rate | None:
    """Return part / whole with Wilson's interval; None of nothing."""
    if whole == 0:
        return None
    ends = interval.wilson(part, whole)
    return Rate(part / whole, ends.low, ends.high)


def _transformed(rate: Rate, by: Callable[[float], float]) -> Rate:
    """Return the rate on another scale; `by` rises."""
    return Rate(by(rate.value), by(rate.low), by(rate.high))
