"""The smallest number of votes without which a model would have another rank.

Broderick, Giordano and Meager (arXiv 2011.14999) approximate the effect of dropping votes by their influences. Huang,
Shen, Wei and Broderick (arXiv 2508.11847) apply that to arenas and confirm each change by a refit, as is done here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from libra.statistics.arena.paired_comparison import PreferenceModel, Ratings, maximize, preference_moments
from libra.statistics.arena.votes import Counts

PREFERENCES = 3
"""The number of outcomes that depend on the strengths: all but "both bad"."""

CLOSE = 8
"""Two numbers of votes at this distance are close: the line through them is trusted."""

MAX_RIVALS = 5
"""The number of rivals of each model, those from whom the fewest votes separate it, that are tried."""


@dataclass(frozen=True, slots=True)
class RankChange:
    """The votes without which one model would have another rank."""

    votes: int
    """Without this number of votes, refitted ratings have another order. No fewer were found, though fewer may do."""

    rival: int
    """The model that would be on the other side."""


def votes_to_change(counts: Counts, ratings: Ratings) -> list[RankChange | None]:
    """Return for each model the fewest votes found whose removal changes its rank; None if no removal does.

    For each model, the rival is the one whom the fewest votes put on the other side by their influences. The votes with
    the largest influence are removed first, and the number is the smallest for which a refit confirms the change.

    Args:
        counts: unweighted votes.
        ratings: fitted to these counts.
    """
    search = _Search(counts, ratings)
    return [search.change(model) for model in range(counts.models)]


class _Search:
    """Finds votes whose removal changes the order of two models."""

    def __init__(self, counts: Counts, ratings: Ratings) -> None:
        """Invert the information once for all pairs."""
        self._models, self._strengths = counts.models, ratings.strengths
        self._start = PreferenceModel.parameters(ratings)
        self._inverse = np.linalg.inv(PreferenceModel(counts).information(ratings))
        mean, tied = (each[..., None] for each in preference_moments(ratings))
        self._gap_scores = np.array([0.5, -0.5, 0.0]) - mean
        self._tie_scores = np.array([0.0, 0.0, 1.0]) - tied
        self._votes = counts.values[:, :, :PREFERENCES].ravel()
        self._shape = (counts.models, counts.models, PREFERENCES)

    def change(self, model: int) -> RankChange | None:
        """Return the fewest votes found that put a rival on the other side of this model."""
        pairs = {rival: self._ordered(model, rival) for rival in self._likely_rivals(model)}
        for rival in sorted(pairs, key=lambda rival: self._approximate_votes(*pairs[rival])):
            votes = self._confirmed_votes(*pairs[rival])
            if votes is not None:
                return RankChange(votes, rival)
        return None

    def _likely_rivals(self, model: int) -> list[int]:
        """Return the models from which the fewest votes separate this one, about.

        A vote on two models moves the difference of their strengths by a part of its variance.
        """
        others = np.delete(np.arange(self._models), model)
        variances = np.diag(self._inverse)[others] + self._inverse[model, model] - 2 * self._inverse[model, others]
        votes = np.abs(self._strengths[others] - self._strengths[model]) / variances
        likely: list[int] = others[np.argsort(votes, kind="stable")[:MAX_RIVALS]].tolist()
        return likely

    def _ordered(self, one: int, other: int) -> tuple[int, int]:
        """Return the stronger of two models first."""
        return (one, other) if self._strengths[one] >= self._strengths[other] else (other, one)

    def _influences(self, high: int, low: int) -> np.ndarray:
        """Return by how much one vote of each cell raises the difference of two strengths; shape (cells,)."""
        models = self._models
        direction = self._inverse[high] - self._inverse[low]
        strengths, levels = direction[:models], direction[models : 2 * models]
        gaps = np.subtract.outer(strengths, strengths) + direction[-2]
        ties = np.add.outer(levels, levels) + direction[-1]
        influences: np.ndarray = self._gap_scores * gaps[..., None] + self._tie_scores * ties[..., None]
        return influences.ravel()

    def _removal_order(self, high: int, low: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells whose votes keep `high` above `low`, the most influential first, and their influences."""
        influences = self._influences(high, low)
        cells = np.flatnonzero((self._votes > 0) & (influences > 0))
        order = cells[np.argsort(-influences[cells], kind="stable")]
        return order, influences[order]

    @functools.cache  # noqa: B019 - a search lives as long as its results are needed
    def _approximate_votes(self, high: int, low: int) -> int:
        """Return how many votes must go until their influences sum to the difference; all of them if they do not."""
        order, influences = self._removal_order(high, low)
        votes = self._votes[order]
        excess = np.cumsum(influences * votes) - (self._strengths[high] - self._strengths[low])
        cell = int(np.searchsorted(excess, 0.0))
        if cell == len(excess):
            return int(votes.sum())
        return int(votes[: cell + 1].sum() - excess[cell] // influences[cell])

    @functools.cache  # noqa: B019 - the same
    def _confirmed_votes(self, high: int, low: int) -> int | None:
        """Return the smallest number of votes, removed in the order of influence, after which the order changes."""
        order, _ = self._removal_order(high, low)
        ends = np.cumsum(self._votes[order])
        if not len(ends):
            return None

        def difference(removed: int) -> float:
            votes = self._votes.copy()
            votes[order] -= np.diff(np.minimum(ends, removed), prepend=0)
            strengths, _ = maximize(PreferenceModel(Counts(votes.reshape(self._shape))).terms, self._start)
            return float(strengths[high] - strengths[low])

        gap = float(self._strengths[high] - self._strengths[low])
        return _smallest_negative(difference, gap, self._approximate_votes(high, low), int(ends[-1]))


def _smallest_negative(difference: Callable[[int], float], at_zero: float, guess: int, total: int) -> int | None:
    """Return the smallest number up to `total` at which a falling function is below 0; None if it is nowhere.

    The next number is where a line through the last two would be at 0, so that a nearly linear function is computed a
    few times only. Between two numbers on different sides of 0, every other step halves the distance.
    """
    low, high, above, below = 0, total + 1, at_zero, -np.inf
    number, is_halving = max(1, min(guess, total)), False
    while high - low > 1:
        value = difference(number)
        if value < 0:
            high, below = number, value
        else:
            low, above = number, value
        line = low + above / max((at_zero - above) / low, 1e-12) if low and high > total else np.inf
        if np.isfinite(below):
            line = low + above * (high - low) / (above - below)
        is_halving = not is_halving and np.isfinite(below)
        middle = (low + high) // 2 if is_halving and high - low > CLOSE else int(min(np.ceil(line), total))
        number = min(max(low + 1, middle), max(low + 1, high - 1))
    return high if high <= total else None
