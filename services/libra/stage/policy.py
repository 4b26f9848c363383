"""Every limit a stage runs under, as data. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """How much a stage takes on at once, how long it may take, and how often it is tried."""

    slots: int = 16
    """Batches in hand at once."""

    attempts: int = 5
    """Deliveries of one message before it is set aside."""

    ack_wait_seconds: float = 30.0
    """The server gives a message out again after this long without a sign of life; one is given every third of it."""

    deadline_seconds: float = 300.0
    """One handling of one message takes no longer; a handler that does is a bug."""

    delays_seconds: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0)
    """Before the second, third, ... delivery; the last is repeated."""

    drain_seconds: float = 20.0
    """After the signal to stop, the work in hand has this long; the rest is handed back."""

    def delay_seconds(self, attempt: int) -> float:
        """Return how long to wait after delivery number `attempt` (from 1) failed."""
        return self.delays_seconds[min(attempt, len(self.delays_seconds)) - 1]
