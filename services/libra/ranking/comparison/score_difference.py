"""The difference of two scores: its interval, its p, and what a test of it is able to find."""

from __future__ import annotations

from dataclasses import dataclass

from libra.statistics import interval, paired_tests
from libra.statistics.influence import difference
from libra.statistics.score import Score
from libra.v1.ranking_pb2 import Estimate


@dataclass(frozen=True, slots=True)
class Gap:
    """One score less another, paired on the samples they share."""

    estimate: Estimate
    """In [-1, 1]."""

    p: float | None
    """Two-sided, of no difference; below 5 % just where the interval leaves 0 out. None where it cannot be told."""

    detectable: float | None
    """The least true difference that a test at 5 % finds with a power of 80 %. None where it cannot be told."""


def gap(one: Score, other: Score) -> Gap:
    """Return one - other, with the interval of Newcombe (1998) and Zou and Donner (2008).

    That interval has a width even where no sample differs, and p goes by how far it reaches towards 0: by a standard error of
    nothing, five samples that all went the same way would be proof.
    """
    made = difference(one, other)
    estimate = Estimate(value=made.value, n=made.n, standard_error=made.standard_error)
    ends = interval.of_difference(one, other)
    if ends is None:
        return Gap(estimate, None, None)
    estimate.low, estimate.high = ends.low, ends.high
    reach = made.value - ends.low if made.value >= 0 else ends.high - made.value
    p = paired_tests.normal_p(made.value, reach / interval.Z)
    return Gap(estimate, p, paired_tests.detectable_effect((ends.high - ends.low) / 2 / interval.Z))
