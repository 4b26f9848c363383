"""Estimates the rate of a run, and the time left until it ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
"""The rate is that of the last minute: models do not finish together, and verdicts arrive in batches."""

MIN_OBSERVATIONS = 2
"""A rate needs two; the older one may be older than the window."""


@dataclass(slots=True)
class RateEstimator:
    """Estimates trials per second and the time left from repeated observations of one run."""

    observations: deque[tuple[float, int]] = field(default_factory=deque)
    """Times, in seconds of a monotonic clock, with the number of trials settled by then."""

    def observe(self, at_seconds: float, settled: int) -> None:
        """Record how many trials are settled at a time."""
        self.observations.append((at_seconds, settled))
        while len(self.observations) > MIN_OBSERVATIONS and at_seconds - self.observations[1][0] >= WINDOW_SECONDS:
            self.observations.popleft()

    def trials_per_second(self) -> float:
        """Return the rate within the window; 0 before there are two observations."""
        if not self.observations:
            return 0.0
        (first_seconds, first), (last_seconds, last) = self.observations[0], self.observations[-1]
        return (last - first) / (last_seconds - first_seconds) if last_seconds > first_seconds else 0.0

    def seconds_left(self, trials: int) -> float | None:
        """Return the time until all `trials` are settled at the present rate; None while the rate is 0."""
        rate = self.trials_per_second()
        return (trials - self.observations[-1][1]) / rate if rate else None
