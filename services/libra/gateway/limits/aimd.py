"""How many requests a model takes at once, learned from what comes of them."""

from __future__ import annotations

FALL = 0.5
"""After a "slow down" or a timeout, so much of what was in flight is still tried."""

RISE = 0.1
"""A round of answers (as many as are tried at once) raises what is tried by this part of it, and by one at least."""


class AimdLimit:
    """Between 1 and the limit. Falls fast, rises slowly, as TCP does (RFC 5681, section 3.1)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._level = float(limit)
        self._fell_at = -1.0

    @property
    def level(self) -> int:
        """Requests to have in flight, at most."""
        return int(self._level)

    def limit_to(self, limit: int) -> None:
        """Change the limit; a higher one is reached by rising."""
        was_at_limit = self._level >= self._limit
        self._limit = limit
        self._level = float(limit) if was_at_limit else min(self._level, float(limit))

    def eased(self) -> None:
        """Take in an answer."""
        self._level = min(float(self._limit), self._level + max(1.0 / self._level, RISE))

    def pressed(self, *, in_flight: int, started: float, now: float) -> None:
        """Take in that a request begun at `started` was too much, when `in_flight` were under way with it.

        Requests that began before the level last fell tell nothing new: a burst that is refused is one sign, not many.
        """
        if started <= self._fell_at:
            return
        self._fell_at = now
        self._level = max(1.0, min(self._level, float(in_flight)) * FALL)
