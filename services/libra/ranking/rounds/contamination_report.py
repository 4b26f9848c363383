"""The contamination report: published samples against fresh ones, for each model and task."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from libra.core.attack_names import task_label
from libra.statistics.contamination import Gap, SampleMean, compare_means, mean_gap
from libra.statistics.score import Interval
from libra.store.sums.sample_sums import SampleSums
from libra.v1.ranking_pb2 import ContaminationGap, Estimate


@dataclass(frozen=True, slots=True)
class MeanPair:
    """A model's means on published and on fresh samples of a task under an attack."""

    model: str
    task: str
    """The task's name."""

    attack: str
    released: SampleMean
    fresh: SampleMean


def mean_over(parts: Sequence[tuple[SampleSums, Collection[int]]]) -> SampleMean | None:
    """Return the mean over the samples that each part names by their ordinals; None if none of them has a score."""
    means = [
        total / count
        for sums, wanted in parts
        for ordinal, count, total in zip(sums.ordinals, sums.counts, sums.sums, strict=True)
        if ordinal in wanted
    ]
    return SampleMean(math.fsum(means) / len(means), len(means)) if means else None


def build_gaps(pairs: Sequence[MeanPair]) -> list[ContaminationGap]:
    """Return the gaps by model: the mean of its tasks if it has several, then its tasks in order."""
    by_model: dict[str, list[MeanPair]] = {}
    for pair in sorted(pairs, key=lambda each: (each.model, each.task, each.attack)):
        by_model.setdefault(pair.model, []).append(pair)
    rows = len(pairs) + sum(len(of_model) > 1 for of_model in by_model.values())
    gaps: list[ContaminationGap] = []
    for model, of_model in by_model.items():
        found = [compare_means(pair.released, pair.fresh, rows) for pair in of_model]
        if len(of_model) > 1:
            released, fresh = _mean([pair.released for pair in of_model]), _mean([pair.fresh for pair in of_model])
            gaps.append(_gap(model, "", released, fresh, mean_gap(found)))
        for pair, gap in zip(of_model, found, strict=True):
            gaps.append(_gap(model, task_label(pair.task, pair.attack), pair.released, pair.fresh, gap))
    return gaps


def _mean(means: Sequence[SampleMean]) -> SampleMean:
    return SampleMean(math.fsum(each.value for each in means) / len(means), sum(each.n for each in means))


def _gap(model: str, task: str, released: SampleMean, fresh: SampleMean, gap: Gap) -> ContaminationGap:
    return ContaminationGap(
        model=model,
        task=task,
        released=Estimate(value=released.value, n=released.n),
        fresh=Estimate(value=fresh.value, n=fresh.n),
        gap=_estimate(gap.value, gap.interval, released.n + fresh.n),
        simultaneous_low=gap.simultaneous.low,
        simultaneous_high=gap.simultaneous.high,
        flagged=gap.is_flagged,
    )


def _estimate(value: float, ends: Interval, n: int) -> Estimate:
    return Estimate(value=value, n=n, low=ends.low, high=ends.high)
