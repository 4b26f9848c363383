"""Estimates how far the consumer of a queue is behind."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 120.0
"""Time over which the rate is measured: long enough for several batches of a slow model."""


class DrainRate:
    """Measures how many messages of one queue are settled per second. Times are of a monotonic clock."""

    def __init__(self) -> None:
        self._observed: deque[tuple[float, int]] = deque()

    def observe(self, settled: int, now_seconds: float) -> None:
        """Record how many messages have been settled so far; a smaller number means that the server began again."""
        if self._observed and settled < self._observed[-1][1]:
            self._observed.clear()
        self._observed.append((now_seconds, settled))
        while self._observed[0][0] < now_seconds - WINDOW_SECONDS:
            self._observed.popleft()

    @property
    def per_second(self) -> float:
        """Messages settled per second; 0 before the second observation."""
        (first_seconds, first), (last_seconds, last) = self._observed[0], self._observed[-1]
        return (last - first) / (last_seconds - first_seconds) if last_seconds > first_seconds else 0.0

    def behind_seconds(self, unfinished: int, oldest_age_seconds: float) -> float:
        """Return the time to settle the unfinished messages at this rate, at least the age of the oldest.

        A queue that stands still has no rate; its age is the only estimate then, and it grows.
        """
        if not unfinished:
            return 0.0
        needed_seconds = unfinished / self.per_second if self.per_second else 0.0
        return max(needed_seconds, oldest_age_seconds)
