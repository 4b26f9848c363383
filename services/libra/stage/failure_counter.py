"""How often each message has failed, as far as this process knows.

The queue counts deliveries, and that is another number: a message is also given out again when a process was stopped or
killed, when an acknowledgement was lost, and when the queue itself was away. None of it is the message's fault.
"""

from __future__ import annotations

MAX_KEPT = 10_000
"""Messages remembered at once; the one that has been there longest is forgotten first, and may be tried more often."""


class FailureCounter:
    """Counts by key. Another replica has its own: `Policy.deliveries` bounds what both do together."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def of(self, key: str, carried: int) -> int:
        """Return how often the message has failed; it came with a count of `carried`."""
        return max(self._counts.get(key, 0), carried)

    def add(self, key: str, carried: int) -> int:
        """Count one more failure; return how many there are."""
        count = self.of(key, carried) + 1
        self._counts.pop(key, None)
        self._counts[key] = count
        if len(self._counts) > MAX_KEPT:
            del self._counts[next(iter(self._counts))]
        return count

    def forget(self, key: str) -> None:
        """Forget a message that has ended."""
        self._counts.pop(key, None)
