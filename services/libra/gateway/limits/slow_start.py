"""From rest, requests begin one after the other.

Those that begin together end together, wave after wave: then all of a model's answers are to be taken in at once, and nothing is in
flight meanwhile. And a provider that has heard nothing for a while is not met by a crowd.
"""

from __future__ import annotations

import math

PER_SECOND = 2_000
"""So many more are in flight with each second: no more than one core can take the answers of, so that a wave never builds up."""

REST_SECONDS = 1.0
"""Without a request in flight for so long, a model is at rest."""


class SlowStart:
    """Times are of a monotonic clock."""

    def __init__(self) -> None:
        self._began = self._ended = -math.inf

    def wait_seconds(self, in_flight: int, now: float) -> float:
        """Return how long one more must wait beside so many; 0 or less if it may begin."""
        if not in_flight and now - self._ended >= REST_SECONDS:
            self._began = now
        return self._began + in_flight / PER_SECOND - now

    def end(self, now: float) -> None:
        """Take in that a request has ended."""
        self._ended = now
