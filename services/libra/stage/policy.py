"""The limits of a stage, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits on concurrency, retries and time for the batches of one stage."""

    slots: int = 16
    """Batches handled at the same time."""

    attempts: int = 5
    """Failures of one message (Retry and bugs) before it is dead-lettered. Outages and full queues are not failures."""

    deliveries: int = 10
    """Poison-message guard: deliveries of one message that nobody settled, before it is dead-lettered. It may crash its
    consumer."""

    deadline_seconds: float = 300.0
    """Time limit of one call of the handler. Only a bug can reach it."""

    delays_seconds: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0)
    """Redelivery delay after the first, second, ... failure; the last one repeats."""

    wait_seconds: float = 1.0
    """Pause before a dependency that is away, or a queue that is full, is tried again."""

    patience_seconds: float = 60.0
    """Maximum delay of a message by one outage; then the message moves to the end of its queue, so that others get a
    turn."""

    drain_seconds: float = 20.0
    """Maximum time for running handlers after the signal to stop; then their messages are handed back."""

    def delay_seconds(self, attempt: int) -> float:
        """Return the redelivery delay after failure number `attempt` (from 1)."""
        return self.delays_seconds[min(attempt, len(self.delays_seconds)) - 1]
