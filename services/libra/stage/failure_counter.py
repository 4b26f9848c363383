"""Counts how often each message has failed in this process.

The queue counts deliveries, which is a different number: a message is also redelivered when a process was stopped or
killed, when an acknowledgement was lost, and when the queue itself was away. None of these is a failure of the message.
"""

from __future__ import annotations

MAX_KEYS = 10_000
"""Messages counted at the same time. The oldest entry is evicted first; that message may then be tried more often."""


class FailureCounter:
    """Failures by message key. Each replica has its own; `Policy.deliveries` bounds all replicas together."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def count(self, key: str, earlier: int) -> int:
        """Return the failures of a message, which arrived with `earlier` failures in its headers."""
        return max(self._counts.get(key, 0), earlier)

    def increment(self, key: str, earlier: int) -> int:
        """Count one more failure and return the new count."""
        count = self.count(key, earlier) + 1
        self._counts.pop(key, None)
        self._counts[key] = count
        if len(self._counts) > MAX_KEYS:
            del self._counts[next(iter(self._counts))]
        return count

    def forget(self, key: str) -> None:
        """Remove a message that was settled."""
        self._counts.pop(key, None)
