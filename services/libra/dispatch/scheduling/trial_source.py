"""The interface of the two sources of a run's batches: prompts for the models, and stored answers for the judges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, TrialBatch
from libra.v1.run_pb2 import Run

TrialKey = tuple[int, int]
"""Identifies a trial within a section: the sample's ordinal and the epoch."""


class TrialSource(Protocol):
    """Makes batches of a run's trials and names the consumers that they pass."""

    message_kind: str
    """The first part of each message's key."""

    def subject(self, header: BatchHeader) -> str:
        """Return the subject that batches with this header are published to."""
        ...

    async def batches(
        self, run: Run, header: BatchHeader, trials: Sequence[TrialKey]
    ) -> Sequence[TrialBatch] | Sequence[CompletionBatch]:
        """Return the trials in as few batches as the limits allow; raise Unavailable or NotFound."""
        ...

    def backlog_consumers(self, run: Run, model: str) -> Sequence[str]:
        """Return the consumers up to the slowest stage: trials that are sent too early wait there."""
        ...

    def pipeline_consumers(self, model: str) -> Sequence[str]:
        """Return every consumer that a trial passes before it has a verdict."""
        ...
