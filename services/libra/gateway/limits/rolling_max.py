"""How long requests last."""

from __future__ import annotations

PERIOD_SECONDS = 60.0


class RollingMax:
    """The longest of the last one to two minutes."""

    def __init__(self) -> None:
        self._lately: float | None = None
        self._before: float | None = None
        self._since = 0.0

    def take(self, seconds: float) -> None:
        """Take in one that has ended."""
        if self._lately is None or seconds > self._lately:
            self._lately = seconds

    def seconds(self, now: float) -> float | None:
        """Return the longest; None if there was none."""
        if now - self._since >= PERIOD_SECONDS:
            if self._lately is not None:
                self._before = self._lately
            self._lately, self._since = None, now
        known = [each for each in (self._lately, self._before) if each is not None]
        return max(known) if known else None
