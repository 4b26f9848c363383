"""Where the trials of a run come from, and where they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, TrialBatch
from libra.v1.run_pb2 import Run

Place = tuple[int, int]
"""A sample's ordinal and an epoch."""


class Source(Protocol):
    """Makes batches of a run's trials."""

    kind: str
    """A part of each message's key."""

    def subject(self, head: BatchHeader) -> str:
        """Return where batches under this header are published."""
        ...

    async def batches(
        self, run: Run, head: BatchHeader, places: Sequence[Place]
    ) -> Sequence[TrialBatch] | Sequence[CompletionBatch]:
        """Return the trials at these places in as few batches as the limits allow; raise Unavailable or NotFound."""
        ...

    def queues(self, run: Run, model: str) -> Sequence[str]:
        """Return the consumers that a trial passes up to the slowest of them: what is sent too early waits there."""
        ...

    def way(self, model: str) -> Sequence[str]:
        """Return every consumer that a trial passes on its way to a verdict."""
        ...
