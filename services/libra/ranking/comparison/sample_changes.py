"""Classifies the samples that two sides share: right or wrong in one of them, or in both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from libra.ranking.comparison.pairing import TaskPair, TaskPairing
from libra.v1.gate_pb2 import GateSampleChanges
from libra.v1.ranking_pb2 import SampleChange, SampleChangeCounts

FAILS_BELOW = 0.5
"""A sample with a lower mean score fails."""

MAX_LISTED = 100
"""The most samples of a kind that a gate lists; all are counted."""

FIXED, BROKEN = SampleChange.SAMPLE_CHANGE_FIXED, SampleChange.SAMPLE_CHANGE_BROKEN
BOTH_WRONG, BOTH_RIGHT = SampleChange.SAMPLE_CHANGE_BOTH_WRONG, SampleChange.SAMPLE_CHANGE_BOTH_RIGHT


@dataclass(frozen=True, slots=True)
class SharedSample:
    """A sample with the mean score of each side."""

    ordinal: int
    score: float
    other_score: float

    @property
    def change(self) -> SampleChange.ValueType:
        """The class of the sample; the first side is compared with the second."""
        if self.score < FAILS_BELOW:
            return BOTH_WRONG if self.other_score < FAILS_BELOW else BROKEN
        return FIXED if self.other_score < FAILS_BELOW else BOTH_RIGHT


def list_samples(pair: TaskPair) -> Iterator[SharedSample]:
    """Yield the samples of a task, in their order."""
    one, other = pair.one, pair.other
    columns = zip(one.ordinals, one.sums, one.counts, other.sums, other.counts, strict=True)
    for ordinal, total, count, other_total, other_count in columns:
        yield SharedSample(ordinal, total / count, other_total / other_count)


def count_changes(pair: TaskPair) -> SampleChangeCounts:
    """Return the number of samples of each class."""
    changes = [sample.change for sample in list_samples(pair)]
    return SampleChangeCounts(
        what=pair.label,
        fixed=changes.count(FIXED),
        broken=changes.count(BROKEN),
        both_wrong=changes.count(BOTH_WRONG),
        both_right=changes.count(BOTH_RIGHT),
    )


def find_changes(pairing: TaskPairing | None) -> list[GateSampleChanges]:
    """Return the tasks of which a sample fails in a model, in its baseline, or in both, in their order."""
    found = [_changes_of(pair) for pair in pairing.pairs] if pairing else []
    return [each for each in found if each.newly_broken or each.fixed or each.persistent]


def _changes_of(pair: TaskPair) -> GateSampleChanges:
    ordinals: dict[SampleChange.ValueType, list[int]] = {BROKEN: [], FIXED: [], BOTH_WRONG: [], BOTH_RIGHT: []}
    for sample in list_samples(pair):
        ordinals[sample.change].append(sample.ordinal)
    return GateSampleChanges(
        score=pair.label,
        task=pair.task,
        newly_broken=ordinals[BROKEN][:MAX_LISTED],
        fixed=ordinals[FIXED][:MAX_LISTED],
        persistent=ordinals[BOTH_WRONG][:MAX_LISTED],
        newly_broken_count=len(ordinals[BROKEN]),
        fixed_count=len(ordinals[FIXED]),
        persistent_count=len(ordinals[BOTH_WRONG]),
    )
