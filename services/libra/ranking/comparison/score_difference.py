"""The difference of two scores on shared samples: its interval, its p, and the difference that a test can detect."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from libra.statistics import interval, paired_tests
from libra.statistics.influence import difference
from libra.statistics.score import Score
from libra.store.sums.sample_sums import SampleSums
from libra.v1.ranking_pb2 import Estimate


@dataclass(frozen=True, slots=True)
class ScoreDifference:
    """One score minus another, paired on the samples that they share."""

    estimate: Estimate
    """In [-1, 1]."""

    p: float | None
    """Two-sided, for no difference; below 5 % exactly where the interval excludes 0. None if it is unknown."""

    detectable: float | None
    """The least true difference that a test at 5 % detects with a power of 80 %. None if it is unknown."""


def compare_scores(one: Score, other: Score) -> ScoreDifference:
    """Return one - other, with the interval of Newcombe (1998) and Zou and Donner (2008).

    This interval has a width even where no sample differs, and p is computed from its reach towards 0: with a
    standard error of 0, five samples that all differ in the same direction would be proof.
    """
    score = difference(one, other)
    estimate = Estimate(value=score.value, n=score.n, standard_error=score.standard_error)
    ends = interval.of_difference(one, other)
    if ends is None:
        return ScoreDifference(estimate, None, None)
    estimate.low, estimate.high = ends.low, ends.high
    reach = score.value - ends.low if score.value >= 0 else ends.high - score.value
    p = paired_tests.normal_p(score.value, reach / interval.Z)
    return ScoreDifference(estimate, p, paired_tests.detectable_effect((ends.high - ends.low) / 2 / interval.Z))


def find_sample_overlap(one: SampleSums, other: SampleSums) -> tuple[SampleSums, SampleSums]:
    """Return the sums of the samples for which both have a score; the two then have the same ordinals."""
    return _select_ordinals(one, set(other.ordinals)), _select_ordinals(other, set(one.ordinals))


def _select_ordinals(sums: SampleSums, ordinals: Container[int]) -> SampleSums:
    positions = [position for position, ordinal in enumerate(sums.ordinals) if ordinal in ordinals]
    return sums if len(positions) == len(sums.ordinals) else sums.select(positions)
