"""Number of trials to load and send in one step: many if they are short, one batch if they are long."""

from __future__ import annotations

from libra.stage.batch import MAX_TRIALS

MAX_BATCHES = 8
"""One step costs a store query, a cursor update and a publish, whether it sends one batch or this many."""

TARGET_BYTES = 1024 * 1024
"""Trials held in memory at once, unless a single batch is larger."""


class ChunkSize:
    """Starts with one batch and adapts to the measured size of the trials."""

    def __init__(self) -> None:
        self._batches = 1

    def fit(self, available_trials: int) -> int:
        """Return how many of the available trials to take, in whole batches; 0 if there is less than one batch."""
        return max(0, min(self._batches, available_trials // MAX_TRIALS)) * MAX_TRIALS

    def observe(self, trials: int, size_bytes: int) -> None:
        """Record the size of trials that were sent."""
        batch_bytes = max(1, size_bytes * MAX_TRIALS // trials)
        self._batches = max(1, min(MAX_BATCHES, TARGET_BYTES // batch_bytes))
