"""How far a judge agrees with people, and the members of a panel with each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from libra.statistics import interval

Level = Literal["nominal", "ordinal", "interval", "ratio"]
"""What may be said of two votes: the same or not, which is more, how much more, how many times."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """Answers by what judge and people call them."""

    tp: int
    """Both call it positive."""

    fp: int
    """The judge alone does."""

    tn: int
    """Neither does."""

    fn: int
    """People alone do."""

    @property
    def n(self) -> int:
        """All answers."""
        return self.tp + self.fp + self.tn + self.fn


@dataclass(frozen=True, slots=True)
class Rate:
    """A share or coefficient with its 95 % interval."""

    value: float
    low: float
    high: float


def confusion(judge: Sequence[bool], people: Sequence[bool]) -> Confusion:
    """Count the answers by both labels; the two are in the same order, ValueError if they differ in length."""
    pairs = list(zip(map(bool, judge), map(bool, people), strict=True))
    return Confusion(*(pairs.count(kind) for kind in ((True, True), (True, False), (False, False), (False, True))))


def accuracy(counts: Confusion) -> Rate | None:
    """Return (TP + TN) / n."""
    return _share(counts.tp + counts.tn, counts.n)


def precision(counts: Confusion) -> Rate | None:
    """Return TP / (TP + FP); None if the judge calls nothing positive."""
    return _share(counts.tp, counts.tp + counts.fp)


def recall(counts: Confusion) -> Rate | None:
    """Return TP / (TP + FN), the judge's sensitivity; None if people call nothing positive."""
    return _share(counts.tp, counts.tp + counts.fn)


def specificity(counts: Confusion) -> Rate | None:
    """Return TN / (TN + FP); None if people call nothing negative."""
    return _share(counts.tn, counts.tn + counts.fp)


def f1(counts: Confusion) -> Rate | None:
    """Return the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); None unless both are.

    It is 2 J / (1 + J), with J = TP / (TP + FP + FN) a plain share, whose interval is carried over.
    """
    if precision(counts) is None or recall(counts) is None:
        return None
    jaccard = _share(counts.tp, counts.tp + counts.fp + counts.fn)
    return jaccard and _mapped(jaccard, lambda share: 2 * share / (1 + share))


def cohen_kappa(counts: Confusion) -> Rate | None:
    """Return Cohen's kappa (1960) with an interval; None if people or judge use one label only.

    The error is that of Fleiss, Cohen and Everitt (1969). The interval is that of the agreement which has this error, put
    on kappa's scale, so that perfect agreement on few answers has a width too.
    """
    judge = (counts.tp + counts.fp, counts.fn + counts.tn)
    people = (counts.tp + counts.fn, counts.fp + counts.tn)
    if 0 in judge or 0 in people:
        return None
    value, error = kappa_and_error(((counts.tp, counts.fp), (counts.fn, counts.tn)))
    left = 1 - (judge[0] * people[0] + judge[1] * people[1]) / counts.n**2
    ends = interval.score((counts.tp + counts.tn) / counts.n, error * left, counts.n)
    return Rate(value, 1 - (1 - ends.low) / left, 1 - (1 - ends.high) / left)


def kappa_and_error(table: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return kappa and its standard error of a square table of counts: rows are one rater's labels, columns the other's.

    kappa = (p_o - p_e) / (1 - p_e); the error is that of Fleiss, Cohen and Everitt, "Large sample standard errors of
    kappa and weighted kappa", Psychological Bulletin 72 (1969).
    """
    counts = np.asarray(table, dtype=float)
    n = counts.sum()
    share = counts / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    chance = float(rows @ columns)
    value = (float(np.trace(share)) - chance) / (1 - chance)
    agreed = float(np.diag(share) @ (1 - (rows + columns) * (1 - value)) ** 2)
    weights = (columns[:, None] + rows[None, :]) ** 2
    np.fill_diagonal(weights, 0.0)
    apart = (1 - value) ** 2 * float((share * weights).sum())
    variance = agreed + apart - (value - chance * (1 - value)) ** 2
    return value, math.sqrt(max(0.0, variance) / n) / (1 - chance)


def krippendorff_alpha(votes: Sequence[Sequence[float | None]], level: Level = "nominal") -> float | None:
    """Return Krippendorff's alpha of votes: 1 if all agree, 0 if they agree as often as by chance, below 0 if less often.

    alpha = 1 - D_o / D_e, from the matrix of coincidences o_ck = sum over answers of the pairs (c, k) of votes / (m - 1), with
    m the votes on the answer. With n_c = sum over k of o_ck, and n = sum over c of n_c,

        D_o = sum over c, k of o_ck d(c, k) / n
        D_e = sum over c, k of n_c n_k d(c, k) / (n (n - 1))

    where d(c, k) is the squared difference of two values at the level of measurement (see `_squared_differences`).

    Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011); Hayes and Krippendorff, "Answering the call for
    a standard reliability measure for coding data", Communication Methods and Measures 1 (2007).

    Args:
        votes: one row for each answer, one vote for each voter; None is a missing vote. An answer with fewer than two votes
            makes no pair and is left out.
        level: the level of measurement of the votes.

    Returns:
        alpha, at most 1 and without a unit. None where it is not defined: no answer has two votes (no pairs), or all votes
        in pairs are equal (no variation, so D_e is 0).

    Raises:
        ValueError: a vote is not finite, or is negative at level "ratio".
    """
    rows = [given for row in votes if len(given := [vote for vote in row if vote is not None]) > 1]
    sizes = np.array([len(row) for row in rows], dtype=int)
    values, places = np.unique(np.array([vote for row in rows for vote in row], dtype=float), return_inverse=True)
    if not np.isfinite(values).all() or (level == "ratio" and (values < 0).any()):
        raise ValueError(f"votes at level {level!r} must be finite, and at level 'ratio' at least 0")
    if len(values) <= 1:
        return None
    # How often each answer (row) has each value (column).
    counts = np.zeros((len(rows), len(values)))
    np.add.at(counts, (np.repeat(np.arange(len(rows)), sizes), places), 1.0)
    weighted = counts / (sizes - 1)[:, None]
    # A vote makes no pair with itself.
    coincidences = counts.T @ weighted - np.diag(weighted.sum(axis=0))
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


def _share(part: int, whole: int) -> Rate | None:
    if whole == 0:
        return None
    ends = interval.wilson(part, whole)
    return Rate(part / whole, ends.low, ends.high)


def _mapped(rate: Rate, by: Callable[[float], float]) -> Rate:
    """Return the rate on another scale that keeps the order."""
    return Rate(by(rate.value), by(rate.low), by(rate.high))
