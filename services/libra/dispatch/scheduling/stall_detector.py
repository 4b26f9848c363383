"""How long a model of a run has brought no verdict, and how often that was answered with a sweep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stillness:
    """One (run, model), looked at again and again. Times are in seconds of a monotonic clock."""

    settled: int
    """Trials that had their verdict at the last look."""

    since_seconds: float
    """When that number last changed, or a sweep was made."""

    sweeps: int = 0
    """Sweeps in a row, made while the queues were idle, that brought nothing."""

    def look(self, settled: int, now_seconds: float) -> float:
        """Take in the number of verdicts there are now; return for how long it has not changed."""
        if settled != self.settled:
            self.settled, self.since_seconds, self.sweeps = settled, now_seconds, 0
        return now_seconds - self.since_seconds

    def swept(self, now_seconds: float, *, in_vain: bool) -> None:
        """Note a sweep; the wait for what it brings begins. It counts only if it is `in_vain` should it bring nothing."""
        self.since_seconds = now_seconds
        self.sweeps += in_vain
