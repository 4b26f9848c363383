"""Measures for how long a model of a run has had no new verdict, and counts the sweeps that did not help."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class StallDetector:
    """Watches one (run, model). Times are in seconds of a monotonic clock."""

    settled: int
    """Trials that had a verdict at the last observation."""

    since_seconds: float
    """Time of the last new verdict or the last sweep, whichever is later."""

    fruitless_sweeps: int = 0
    """Consecutive sweeps at idle queues after which no verdict came."""

    def observe(self, settled: int, now_seconds: float) -> float:
        """Record how many trials are settled now; return for how many seconds there has been no new verdict."""
        if settled != self.settled:
            self.settled, self.since_seconds, self.fruitless_sweeps = settled, now_seconds, 0
        return now_seconds - self.since_seconds

    def record_sweep(self, now_seconds: float, *, queues_idle: bool) -> None:
        """Restart the wait after a sweep; count the sweep only if the queues were idle."""
        self.since_seconds = now_seconds
        self.fruitless_sweeps += queues_idle
