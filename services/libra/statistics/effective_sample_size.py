"""How many independent samples of 0 and 1 would make a score as sure as it is.

That is v (1 - v) / variance, for a score v (Kish 1965; Korn and Graubard 1998, "Confidence intervals for proportions with
small expected number of positive counts estimated from survey data", Survey Methodology 24). Close to 0 and 1, and for
tasks of twenty samples, the variance itself is hardly known: where every sample scored 1 it is nothing at all. What is
done about that here was chosen by simulation (tests/unit/statistics/test_coverage.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtri, stdtrit

from libra.statistics.score import Block

UPPER = 0.975
"""Where a two-sided interval at 95 % ends, on either side."""

TRUST = 0.25
"""Events on which a variance must stand to count as much as the binomial one, v (1 - v) / n."""

BORROWED = 2.0
"""Events that the score itself lends to its variance: one depends on the other."""

ESTIMATED = 2.0
"""How much more than it is a variance may be by k / (k - 1), with two samples."""

NOTHING = 1e-9
"""More than rounding leaves: of a deviation where all scores are the same, of an excess where all weights are."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a score's variance stands on. An event is a sample that is unlike the others: a failure among successes."""

    variance: float
    """By the samples' influences."""

    n: float
    """Samples, as many as would do with equal weights: 1 / sum of squared weights (Kish 1965)."""

    events: float
    """Events, counted by the weights of the samples."""

    seen: float
    """Events, each counted alike."""

    heaviest: float
    """The largest weight of a sample."""


def evidence(blocks: Sequence[Block]) -> Evidence | None:
    """Return what the blocks' samples tell of a score's variance; None if there is no sample in them.

    A sample of a space with weight W and k samples weighs c = W / k, and is e = influence / c away from its task's mean. Of
    N samples, (sum e^2)^2 / sum e^4 are events; with unequal weights a share (sum c^2)^2 / (N sum c^4) of them counts.
    """
    sampled = [block for block in blocks if block.clusters and block.weight]
    if not sampled:
        return None
    size = spread = peak = heaviest = variance = second = fourth = 0.0
    for block in sampled:
        c, squares = block.weight / block.clusters, block.values**2
        size += block.clusters
        spread += block.clusters * c**2
        peak += block.clusters * c**4
        heaviest = max(heaviest, abs(c))
        variance += block.variance
        second += block.variance / c**2
        fourth += float(squares @ squares) / c**4
    # Scores that are all the same leave a rest of rounding, which is no event.
    seen = second**2 / fourth if second > NOTHING**2 else 0.0
    return Evidence(variance, 1 / spread, seen * spread**2 / (size * peak), seen, heaviest)


def samples(value: float, known: Evidence) -> tuple[float, float]:
    """Return the effective number of samples of a score in [0, 1], above 0, and the variance that they leave over.

    The variance is averaged with the binomial one, by events against TRUST. If weights are unequal, few samples decide how
    large it is. Then the number is lowered by (z / t)^2, as Korn and Graubard do, with the degrees of freedom by which the
    error of the variance exceeds what equal weights would give: 1 / df = (1 / (events + 2) - 1 / (seen + 2)) / 2.

    No mean of scores in [0, 1] varies more than its heaviest sample's weight times v (1 - v) (Bhatia and Davis 2000). What
    goes beyond comes of a correction, which stretches errors and not the range, and is left over.
    """
    binomial = max(0.0, value * (1 - value))
    most = ESTIMATED * known.heaviest * binomial
    rest = max(0.0, known.variance - most)
    if binomial == 0:
        return known.n, rest
    variance = (known.events * min(known.variance, most) + TRUST * binomial / known.n) / (known.events + TRUST)
    excess = 1 / (known.events + BORROWED) - 1 / (known.seen + BORROWED)
    if excess < NOTHING:
        return binomial / variance, rest
    return binomial / variance * float(ndtri(UPPER) / stdtrit(2 / excess, UPPER)) ** 2, rest
