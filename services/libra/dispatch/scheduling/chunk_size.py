"""How many trials are loaded and sent together: many where they are short, one batch where they are long."""

from __future__ import annotations

from libra.stage.batch import MAX_TRIALS

MOST_BATCHES = 8
"""A look into the store, a note of the cursor and a wait for the queue cost the same for one batch as for so many."""

COMFORTABLE_BYTES = 1024 * 1024
"""Trials in memory at once, unless a single batch of them is larger."""


class Stride:
    """Begins with one batch, and learns from what was sent how long trials are."""

    def __init__(self) -> None:
        self._batches = 1

    def within(self, room: int) -> int:
        """Return how many trials to take where there is room for so many, in whole batches; 0 for less than one."""
        return max(0, min(self._batches, room // MAX_TRIALS)) * MAX_TRIALS

    def learn(self, trials: int, size_bytes: int) -> None:
        """Take in that so many trials had so many bytes."""
        batch_bytes = max(1, size_bytes * MAX_TRIALS // trials)
        self._batches = max(1, min(MOST_BATCHES, COMFORTABLE_BYTES // batch_bytes))
