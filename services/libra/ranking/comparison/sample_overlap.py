"""Cut what cells stand on down to certain samples, so that two of them can be compared one sample with the other."""

from __future__ import annotations

from array import array
from collections.abc import Container

from libra.statistics.score import TrialsBySample
from libra.store.sample_sums import SampleSums


def section(task: str, sums: SampleSums) -> TrialsBySample:
    """Return the sums as a section of the task "name@version", whose samples every model and attack shares."""
    return TrialsBySample(task, sums.ordinals, sums.counts, sums.sums)


def shared(one: SampleSums, other: SampleSums) -> tuple[SampleSums, SampleSums]:
    """Return both cut down to the samples that both have a score of; the two then have the same ordinals."""
    return cut(one, set(other.ordinals)), cut(other, set(one.ordinals))


def cut(sums: SampleSums, ordinals: Container[int]) -> SampleSums:
    """Return the sums of the samples whose ordinal is one of these, in their order."""
    kept = [place for place, ordinal in enumerate(sums.ordinals) if ordinal in ordinals]
    if len(kept) == len(sums.ordinals):
        return sums
    return SampleSums(
        array("i", [sums.ordinals[place] for place in kept]),
        array("i", [sums.counts[place] for place in kept]),
        array("d", [sums.sums[place] for place in kept]),
    )
