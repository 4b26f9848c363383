"""Every limit a stage runs under, as data. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """How much a stage takes on at once, how long it may take, and how often it is tried."""

    slots: int = 16
    """Batches in hand at once."""

    attempts: int = 5
    """Failures of one message, Retry and bugs alike, before it is set aside. An outage is none, nor is a full queue."""

    deliveries: int = 10
    """Deliveries of one message that nobody ends, before it is set aside: it may be what takes the process with it."""

    deadline_seconds: float = 300.0
    """One handling of one message takes no longer; a handler that does is a bug."""

    delays_seconds: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0)
    """After the first, second, ... failure; the last is repeated."""

    wait_seconds: float = 1.0
    """A part that is away and a queue that is full are tried again after this long."""

    patience_seconds: float = 60.0
    """An outage is waited for this long with the message in hand; then it goes to the end of its queue, others come first."""

    drain_seconds: float = 20.0
    """After the signal to stop, the work in hand has this long; the rest is handed back."""

    def delay_seconds(self, attempt: int) -> float:
        """Return how long to wait after failure number `attempt` (from 1)."""
        return self.delays_seconds[min(attempt, len(self.delays_seconds)) - 1]
