"""How fast a model of a run is answered, as seen from look to look."""

from __future__ import annotations

SHORTEST_SECONDS = 0.2
"""Looks that are closer together tell more of the size of a commit than of the pace."""


class Pace:
    """Trials settled in a second, lately; a look that finds none halves it. Times are of a monotonic clock."""

    def __init__(self, settled: int, now_seconds: float) -> None:
        self.per_second = 0.0
        self._settled, self._seconds = settled, now_seconds

    def look(self, settled: int, now_seconds: float) -> None:
        """Take in how many trials are settled now."""
        passed_seconds = now_seconds - self._seconds
        if passed_seconds >= SHORTEST_SECONDS:
            self.per_second = max((settled - self._settled) / passed_seconds, self.per_second / 2)
            self._settled, self._seconds = settled, now_seconds
