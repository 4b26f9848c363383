"""Additive increase, multiplicative decrease of the number of requests in flight, as in TCP (RFC 5681, section 3.1)."""

from __future__ import annotations

DECREASE_FACTOR = 0.5
"""A throttled request reduces the level to this part of the requests that were in flight."""

INCREASE_FACTOR = 0.1
"""A round of answers (as many as the level) raises the level by this part of it, and by one at least."""


class AimdLimit:
    """Learns how many requests a model can serve at once, between 1 and the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._level = float(limit)
        self._decreased_at = -1.0

    @property
    def level(self) -> int:
        """The largest number of requests to have in flight."""
        return int(self._level)

    def set_limit(self, limit: int) -> None:
        """Change the limit. If the level was below the old limit, it rises to the new one answer by answer."""
        was_at_limit = self._level >= self._limit
        self._limit = limit
        self._level = float(limit) if was_at_limit else min(self._level, float(limit))

    def on_success(self) -> None:
        """Raise the level after an answer."""
        self._level = min(float(self._limit), self._level + max(1.0 / self._level, INCREASE_FACTOR))

    def on_throttle(self, *, in_flight: int, started: float, now: float) -> None:
        """Reduce the level after a throttled request that began at `started`, one of `in_flight` requests.

        A request that began before the last decrease is ignored: a burst of refusals is one sign of overload, not many.
        """
        if started <= self._decreased_at:
            return
        self._decreased_at = now
        self._level = max(1.0, min(self._level, float(in_flight)) * DECREASE_FACTOR)
