"""How fast a run goes, and how long it will take."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from libra.contracts.outcomes import total_of
from libra.v1.run_pb2 import Run

WINDOW_SECONDS = 60.0
"""The rate is that of the last minute: a run's models do not finish together, and verdicts come in batches."""


@dataclass(slots=True)
class Pace:
    """Looks at one run, again and again."""

    looks: deque[tuple[float, int]] = field(default_factory=deque)
    """Times, in seconds of a monotonic clock, with the trials settled until then."""

    def look(self, seconds: float, done: int) -> None:
        """Take in how many trials were settled at a moment."""
        self.looks.append((seconds, done))
        while len(self.looks) > 2 and seconds - self.looks[1][0] >= WINDOW_SECONDS:  # noqa: PLR2004 - a rate needs two
            self.looks.popleft()

    def per_second(self) -> float:
        """Return trials settled per second of late; 0 before there are two looks."""
        if not self.looks:
            return 0.0
        (first_seconds, first), (last_seconds, last) = self.looks[0], self.looks[-1]
        return (last - first) / (last_seconds - first_seconds) if last_seconds > first_seconds else 0.0

    def seconds_left(self, trials: int) -> float | None:
        """Return how long the trials that are left will take at this rate; None if that cannot be told."""
        rate = self.per_second()
        return (trials - self.looks[-1][1]) / rate if rate else None


def settled(run: Run) -> int:
    """Return how many trials have their verdict."""
    return total_of(run.counts)


def failures(run: Run) -> int:
    """Return how many trials have no score: no answer, or one that could not be judged."""
    return run.counts.unjudged + run.counts.failed
