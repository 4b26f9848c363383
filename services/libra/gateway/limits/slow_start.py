"""Slow start: after an idle period, requests begin one after another.

Requests that begin together end together, wave after wave: all answers of a model then arrive at once, and nothing is
in flight while they are processed. A provider that has been idle is also spared a burst.
"""

from __future__ import annotations

import math

REQUESTS_PER_SECOND = 2_000
"""The number of requests in flight grows by this many per second. One core can process the answers of no more, so that
no wave builds up."""

IDLE_SECONDS = 1.0
"""A model without a request in flight for this long is idle."""


class SlowStart:
    """Delays the start of a request after an idle period. Times are of a monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._began = self._ended = -math.inf

    def wait_seconds(self, in_flight: int, now: float) -> float:
        """Return how long one more request beside `in_flight` others must wait; 0 or less if it may start."""
        if not in_flight and now - self._ended >= IDLE_SECONDS:
            self._began = now
        return self._began + in_flight / REQUESTS_PER_SECOND - now

    def end(self, now: float) -> None:
        """Record that a request ended."""
        self._ended = now
