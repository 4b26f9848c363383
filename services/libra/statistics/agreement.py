"""How far a judge agrees with people, and the members of a panel with each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import krippendorff
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
    """Return Krippendorff's alpha of votes: a row an answer, a column a voter, None for no vote.

    None if no answer has two votes, or if all votes are the same. Source: Krippendorff, "Computing Krippendorff's
    Alpha-Reliability" (2011).
    """
    rows = [row for row in votes if sum(vote is not None for vote in row) > 1]
    if len({vote for row in rows for vote in row if vote is not None}) < 2:  # noqa: PLR2004
        return None
    by_voter = np.array([[np.nan if vote is None else vote for vote in row] for row in rows]).T
    return float(krippendorff.alpha(reliability_data=by_voter, level_of_measurement=level))


def _share(part: int, whole: int) -> Rate | None:
    if whole == 0:
        return None
    ends = interval.wilson(part, whole)
    return Rate(part / whole, ends.low, ends.high)


def _mapped(rate: Rate, by: Callable[[float], float]) -> Rate:
    """Return the rate on another scale that keeps the order."""
    return Rate(by(rate.value), by(rate.low), by(rate.high))
