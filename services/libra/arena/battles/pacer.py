"""Releases two answers at one pace, so that speed does not tell which model writes.

Both answers begin together, at a pace that the slower model keeps up with, and keep it to the end. A model that falls
behind stops both. What a visitor sees would be the same if the two models were exchanged, with one exception: if an
answer ends while the other model falls behind, the other answer waits until it is whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

MEASURE_SECONDS = 1.5
"""Nothing is shown before both models have written for this long or ended: the pace is chosen from it."""

MARGIN = 0.8
"""The share of the slower model's rate that is shown at most. The rest is kept for pauses of the model."""

SLOWDOWNS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""The pace is the fixed rate divided by one of these: a pace in few steps tells little about a model's rate."""

RESERVE_SECONDS = 1.0
"""After a stop, both go on once there is text for this long."""


class Release(NamedTuple):
    """The next part of one side to show."""

    side: int
    """0 for A, 1 for B."""

    text: str
    replaces: bool = False
    """Whether it replaces what the side has shown."""


@dataclass(slots=True)
class PacedSide:
    """One side: what may be shown, and what is."""

    target: str = ""
    has_ended: bool = False
    """Whether `target` is the whole answer."""
    shown: str = ""
    begin_seconds: float | None = None
    end_seconds: float | None = None

    @property
    def is_done(self) -> bool:
        """Whether everything is shown."""
        return self.has_ended and self.shown == self.target

    def observe(self, now_seconds: float) -> None:
        """Record when the answer begins and ends. An answer that is asked for again begins anew."""
        if not self.target and not self.has_ended:
            self.begin_seconds = None
        elif self.begin_seconds is None:
            self.begin_seconds = now_seconds
        if self.has_ended and self.end_seconds is None:
            self.end_seconds = now_seconds

    def seconds_since_begin(self, now_seconds: float) -> float:
        """Return how long the answer has been arriving, or has been there; 0 before it begins."""
        return 0.0 if self.begin_seconds is None else now_seconds - self.begin_seconds

    def characters_per_second(self, now_seconds: float) -> float:
        """Return the rate at which the model has written since its first text; infinite if all came at once."""
        elapsed = self.seconds_since_begin(now_seconds if self.end_seconds is None else self.end_seconds)
        return len(self.target) / elapsed if elapsed > 0 else math.inf


class Pacer:
    """Shows as much of both sides, at one pace."""

    def __init__(self, characters_per_second: float) -> None:
        self._paces = tuple(characters_per_second / slowdown for slowdown in SLOWDOWNS)
        self._pace = characters_per_second
        self._position = 0.0
        """The characters of each side that may be shown."""
        self._has_begun = False
        self._is_stopped = True
        self._clock = 0.0
        self.sides = (PacedSide(), PacedSide())

    def release(self, now_seconds: float) -> Sequence[Release]:
        """Return what to show at this time; call it several times a second."""
        elapsed, self._clock = now_seconds - self._clock, now_seconds
        for side in self.sides:
            side.observe(now_seconds)
        available = self._available()
        self._position = min(self._position, available)  # an answer that is asked for again begins anew
        if self._is_stopped:
            self._go_on(now_seconds)
        else:
            self._position += self._pace * elapsed
            if self._position >= available:
                self._position, self._is_stopped = available, True
                self._slow_down(now_seconds)
        released = [self._advance(number, self._position) for number in range(len(self.sides))]
        return [part for part in released if part is not None]

    @property
    def is_done(self) -> bool:
        """Whether both sides are shown entirely."""
        return all(side.is_done for side in self.sides)

    def _available(self) -> float:
        """Return how many characters of each side can be shown; an answer that has ended does not hold up the other."""
        return min((float(len(side.target)) for side in self.sides if not side.has_ended), default=math.inf)

    def _go_on(self, now_seconds: float) -> None:
        """Begin, or begin again after a stop, if there is enough text."""
        writing = [side for side in self.sides if not side.has_ended]
        if not self._has_begun:
            if writing and min(side.seconds_since_begin(now_seconds) for side in self.sides) < MEASURE_SECONDS:
                return
            self._has_begun = True
            self._slow_down(now_seconds)
        elif any(side.is_done for side in self.sides):
            if writing:
                return
        elif any(len(side.target) - self._position < self._pace * RESERVE_SECONDS for side in writing):
            return
        self._is_stopped = False

    def _slow_down(self, now_seconds: float) -> None:
        """Choose the pace that both models keep up with; it never rises, so that its changes tell nothing."""
        rate = MARGIN * min(side.characters_per_second(now_seconds) for side in self.sides)
        self._pace = next((pace for pace in self._paces if pace <= min(rate, self._pace)), self._paces[-1])

    def _advance(self, number: int, position: float) -> Release | None:
        side = self.sides[number]
        text = side.target[: int(position)] if position < len(side.target) else side.target
        if text.startswith(side.shown):
            added, replaces = text[len(side.shown) :], False
        elif side.target.startswith(side.shown):
            return None  # less is allowed than is shown already, after the other side was asked again
        else:
            added, replaces = text, True
        if not added and not replaces:
            return None
        side.shown = text
        return Release(number, added, replaces)
