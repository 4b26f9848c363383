"""Completed trials are cut into messages within the limits, in order."""

from __future__ import annotations

import pytest

from libra.gateway.completion_messages import split_completed
from libra.stage.batch import MAX_BYTES, MAX_TRIALS
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch
from libra.v1.completion_pb2 import Completion


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([100] * MAX_TRIALS, [MAX_TRIALS]),
        ([100] * (MAX_TRIALS + 1), [MAX_TRIALS, 1]),
        ([MAX_BYTES // 2 - 100] * 3, [2, 1]),
        ([MAX_BYTES - 100, 1000], [1, 1]),
        ([2 * MAX_BYTES, 10], [1, 1]),
        ([10], [1]),
    ],
)
def test_a_batch_is_split_only_if_it_does_not_fit(sizes: list[int], parts: list[int]) -> None:
    batch = TrialBatch(header=BatchHeader(run="run"), trials=[Trial(sample=number) for number in range(len(sizes))])
    completions = [Completion(id=str(number), text="x" * size) for number, size in enumerate(sizes)]
    found = list(split_completed(batch, completions))
    assert [len(part.trials) for part in found] == parts
    trials = [each for part in found for each in part.trials]
    assert [each.trial for each in trials] == list(batch.trials)
    assert [each.completion for each in trials] == completions
    assert all(part.header == batch.header for part in found)
