"""Success within k tries: the chance that at least one of k trials of a sample is broken.

Chen et al. 2021, "Evaluating Large Language Models Trained on Code", arXiv 2107.03374, section 2.1: pass@k.
"""

from __future__ import annotations

from collections.abc import Sequence

from libra.statistics.influence import mean
from libra.statistics.score import Score, TrialsBySample


def estimate_at_k(n: int, broken: int, k: int) -> float:
    """Return 1 - C(n - broken, k) / C(n, k), the unbiased estimate from n trials of a sample; n is at least k.

    The quotient is a product of n - broken - i over n - i, which neither overflows nor cancels.
    """
    missed = 1.0
    for i in range(k):
        missed *= max(0, n - broken - i) / (n - i)
    return 1.0 - missed


def success_at_k(
    task: str, ordinals: Sequence[int], counts: Sequence[int], broken: Sequence[int], k: int
) -> Score | None:
    """Return the mean of the estimates of a task's samples with at least k trials; None without any.

    The standard error is clustered by sample: the samples are the independent units, however many trials each has.
    """
    samples = [
        (ordinal, estimate_at_k(n, hits, k))
        for ordinal, n, hits in zip(ordinals, counts, broken, strict=True)
        if n >= k
    ]
    return mean(
        TrialsBySample(
            task, [ordinal for ordinal, _ in samples], [1] * len(samples), [estimate for _, estimate in samples]
        )
    )
