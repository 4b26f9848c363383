"""Maps values to coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

STEPS = (1, 2, 2.5, 5, 10)
MIN_SPAN = 0.1


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from values to coordinates."""

    low: float
    high: float
    start: float
    """The coordinate of `low`."""

    end: float
    """The coordinate of `high`."""

    def at(self, value: float) -> float:
        """Return the coordinate of a value; a value outside the scale is at its end."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Return round values on the scale, about as many as wanted."""
        rough = (self.high - self.low) / about
        power = 10 ** math.floor(math.log10(rough))
        step = next(power * each for each in STEPS if power * each >= rough)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(n * step, 10) for n in range(first, last + 1)]

    @classmethod
    def around(cls, values: list[float], start: float, end: float, *, low: float, high: float) -> Self:
        """Return a scale that shows all values with a margin, within `low` and `high`."""
        if not values:
            return cls(low, high, start, end)
        margin = max((max(values) - min(values)) * 0.08, MIN_SPAN / 2)
        return cls(max(low, min(values) - margin), min(high, max(values) + margin), start, end)
