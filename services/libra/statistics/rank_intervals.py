"""The ranks that the data do not rule out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from libra.statistics import interval, paired_tests
from libra.statistics.score import Block, Score


def rank_intervals(scores: Sequence[Score]) -> list[tuple[int, int]]:
    """Return the best and the worst rank of each score, at 95 % for all at once; the highest score has rank 1.

    A model is surely better than another if their difference, paired on the samples they share, stays significant after
    Holm's correction over all pairs. Its best rank is 1 + the number of those surely better, its worst K - the number of
    those surely worse (Mogstad, Romano, Shaikh and Wilhelm 2024, "Inference for Ranks with Applications to Mobility across
    Neighbourhoods and Academic Achievement across Countries", Review of Economic Studies 91, section 3). A score whose error
    cannot be told is surely better or worse than none.
    """
    known = [index for index, score in enumerate(scores) if score.standard_error is not None]
    better, worse = _surely([scores[index] for index in known])
    spans = [(1, len(scores))] * len(scores)
    for index, above, below in zip(known, better, worse, strict=True):
        spans[index] = (1 + above, len(scores) - below)
    return spans


def _surely(scores: Sequence[Score]) -> tuple[list[int], list[int]]:
    """Return how many are surely better than each, and how many surely worse."""
    order = sorted(range(len(scores)), key=lambda index: -scores[index].value)
    high, low = np.triu_indices(len(scores), 1)
    ps = paired_tests.normal_ps(*_gaps([scores[index] for index in order], high, low))
    sure = np.array(paired_tests.holm(ps.tolist()), dtype=float) <= 1 - interval.LEVEL
    better, worse = [0] * len(scores), [0] * len(scores)
    for above, below in zip(high[sure], low[sure], strict=True):
        better[order[below]] += 1
        worse[order[above]] += 1
    return better, worse


def _gaps(scores: Sequence[Score], high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the differences of the pairs, and their errors by how far the two intervals reach towards each other."""
    values = np.array([score.value for score in scores])
    ends = [interval.of_score(score) or interval.normal(score.value, 0.0) for score in scores]
    down = values - np.array([end.low for end in ends])
    up = np.array([end.high for end in ends]) - values
    down, up = down[high], up[low]
    squares = down**2 + up**2 - 2 * correlations(scores)[high, low] * down * up
    return values[high] - values[low], np.sqrt(np.maximum(squares, 0.0)) / interval.Z


def correlations(scores: Sequence[Score]) -> np.ndarray:
    """Return the matrix of the scores' correlations; 0 where one has no error."""
    shared = np.zeros((len(scores), len(scores)))
    spaces: dict[Hashable, list[int]] = {}
    for index, score in enumerate(scores):
        for space in score.blocks:
            spaces.setdefault(space, []).append(index)
    for space, members in spaces.items():
        rows = _aligned([scores[index].blocks[space] for index in members])
        shared[np.ix_(members, members)] += rows @ rows.T
    errors = np.sqrt(np.diag(shared))
    product = np.outer(errors, errors)
    matrix: np.ndarray = np.divide(shared, product, out=np.zeros_like(shared), where=product > 0)
    return matrix.clip(-1.0, 1.0)


def _aligned(blocks: Sequence[Block]) -> np.ndarray:
    """Return the blocks' influences, a row each, a column a sample."""
    ordinals = np.unique(np.concatenate([block.ordinals for block in blocks]))
    rows = np.zeros((len(blocks), len(ordinals)))
    for row, block in zip(rows, blocks, strict=True):
        row[np.searchsorted(ordinals, block.ordinals)] = block.values
    return rows
