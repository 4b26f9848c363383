"""Measures how many trials of a run one model settles per second."""

from __future__ import annotations

MIN_INTERVAL_SECONDS = 0.2
"""Over a shorter interval the measurement reflects the size of a commit, not the throughput."""


class Throughput:
    """Trials settled per second, recently; an interval without a verdict halves it. Times are of a monotonic clock."""

    def __init__(self, settled: int, now_seconds: float) -> None:
        self.per_second = 0.0
        self._settled, self._measured_seconds = settled, now_seconds

    def observe(self, settled: int, now_seconds: float) -> None:
        """Record how many trials are settled now."""
        elapsed_seconds = now_seconds - self._measured_seconds
        if elapsed_seconds >= MIN_INTERVAL_SECONDS:
            self.per_second = max((settled - self._settled) / elapsed_seconds, self.per_second / 2)
            self._settled, self._measured_seconds = settled, now_seconds
