"""Compare two rankings of the same models on the same samples, measured at two times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from libra.statistics import paired_tests
from libra.statistics.interval import CONFIDENCE
from libra.statistics.score import Interval

RESAMPLES = 2_000
"""The number of bootstrap samples."""

MAX_SIGNS = 2_000_000
"""The most signs of pairs of models in memory at once."""


@dataclass(frozen=True, slots=True)
class AnchorScores:
    """The scores of all models on the anchors of one task."""

    earlier: np.ndarray
    """In [0, 1], shape (models, anchors)."""

    later: np.ndarray
    """The same models and anchors in the later round."""


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """A pair of models that changed places."""

    down: int
    """The index of the model that was better in the earlier round."""

    up: int
    """The index of the model that is better in the later round."""

    change: float
    """Growth of the difference up - down."""

    interval: Interval
    p: float
    p_holm: float

    @property
    def is_real(self) -> bool:
        """Whether the change is significant at 5 %, over all pairs of models together."""
        return self.p_holm < 1 - CONFIDENCE


@dataclass(frozen=True, slots=True)
class Stability:
    """The comparison of two rankings."""

    earlier: list[float]
    """The scores of the models: the unweighted mean of the tasks' means over the anchors."""

    later: list[float]
    tau: float | None
    """Kendall's tau-b; None if all models have the same score in one of the rounds."""

    tau_interval: Interval | None
    changes: list[PlaceChange]
    """The most certain first."""


def compare_rankings(tasks: Sequence[AnchorScores], seed: int) -> Stability:
    """Return how far the ranking of the models is the same in both rounds.

    Kendall's tau-b (Kendall 1945) has a percentile bootstrap interval (Efron 1979): in each of RESAMPLES resamples the
    anchors of every task are drawn with replacement, the same for all models and both rounds, since the samples are
    what the rounds share. A change of places is real if the change of the difference between the two models is
    significant: by random signs of the anchors' changes (Fisher 1935), after Holm's correction (1979) over all pairs of
    models. Pairs that kept their places count as p = 1, which can only raise the other adjusted p. The same seed gives
    the same result.
    """
    earlier, later = _scores(tasks, "earlier"), _scores(tasks, "later")
    resampled = _resample(tasks, seed)
    taus = _taus(*resampled)
    tau = _taus(earlier[:, None], later[:, None])[0]
    is_known = not np.isnan(tau)
    return Stability(
        earlier.tolist(),
        later.tolist(),
        float(tau) if is_known else None,
        _percentiles(taus[~np.isnan(taus)]) if is_known else None,
        _place_changes(tasks, earlier, later, resampled[1] - resampled[0], seed),
    )


def kendall_tau(one: np.ndarray, other: np.ndarray) -> float | None:
    """Return Kendall's tau-b of two lists of scores of the same models; None if one of them has only equal scores."""
    tau = _taus(one[:, None], other[:, None])[0]
    return None if np.isnan(tau) else float(tau)


def _taus(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return tau-b for each column of two arrays of shape (models, columns); NaN for a column of equal scores."""
    columns = max(1, MAX_SIGNS // len(one) ** 2)
    parts = [slice(start, start + columns) for start in range(0, one.shape[1], columns)]
    return np.concatenate([_taus_at_once(one[:, part], other[:, part]) for part in parts])


def _taus_at_once(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    above, below = np.triu_indices(len(one), 1)
    first, second = np.sign(one[above] - one[below]), np.sign(other[above] - other[below])
    untied = np.sqrt(np.count_nonzero(first, axis=0) * np.count_nonzero(second, axis=0))
    agreement = (first * second).sum(axis=0)
    taus: np.ndarray = np.divide(agreement, untied, out=np.full(len(untied), np.nan), where=untied > 0)
    return taus


def _scores(tasks: Sequence[AnchorScores], when: str) -> np.ndarray:
    # Rounded, so that equal means of tasks in another order are ties.
    means: np.ndarray = np.mean([getattr(task, when).mean(axis=1) for task in tasks], axis=0).round(12)
    return means


def _resample(tasks: Sequence[AnchorScores], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores in both rounds on resampled anchors, each of shape (models, RESAMPLES)."""
    generator = np.random.default_rng(seed)
    shape = (len(tasks[0].earlier), RESAMPLES)
    earlier, later = np.zeros(shape), np.zeros(shape)
    for task in tasks:
        anchors = task.earlier.shape[1]
        times_drawn = generator.multinomial(anchors, np.full(anchors, 1 / anchors), RESAMPLES).T
        earlier += task.earlier @ times_drawn / (anchors * len(tasks))
        later += task.later @ times_drawn / (anchors * len(tasks))
    return earlier.round(12), later.round(12)


def _place_changes(
    tasks: Sequence[AnchorScores],
    earlier: np.ndarray,
    later: np.ndarray,
    gains: np.ndarray,
    seed: int,
) -> list[PlaceChange]:
    """Return the pairs that changed places; `gains` are the changes of the resampled scores, (models, RESAMPLES)."""
    pairs = list(combinations(range(len(earlier)), 2))
    swapped = [
        (one, other) if earlier[one] > earlier[other] else (other, one)
        for one, other in pairs
        if (earlier[one] - earlier[other]) * (later[one] - later[other]) < 0
    ]
    ps = [paired_tests.permutation(_anchor_changes(tasks, *pair), seed) for pair in swapped]
    adjusted = paired_tests.holm([*ps, *[1.0] * (len(pairs) - len(swapped))])
    changes = [
        PlaceChange(
            down,
            up,
            float((later[up] - later[down]) - (earlier[up] - earlier[down])),
            _percentiles(gains[up] - gains[down]),
            p,
            p_holm,
        )
        for (down, up), p, p_holm in zip(swapped, ps, adjusted[: len(swapped)], strict=True)
    ]
    return sorted(changes, key=lambda each: (each.p, -each.change))


def _anchor_changes(tasks: Sequence[AnchorScores], down: int, up: int) -> list[float]:
    """Return each anchor's part in the change of the difference up - down: their sum is the change."""
    parts = [
        ((task.later[up] - task.later[down]) - (task.earlier[up] - task.earlier[down]))
        / (len(tasks) * task.later.shape[1])
        for task in tasks
    ]
    return [float(value) for value in np.concatenate(parts)]


def _percentiles(values: np.ndarray) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))
