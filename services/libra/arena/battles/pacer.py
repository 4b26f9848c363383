"""Releases two answers at the same pace, so that speed does not tell which model writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


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

    @property
    def is_done(self) -> bool:
        """Whether everything is shown."""
        return self.has_ended and self.shown == self.target


class Pacer:
    """Shows as much of both sides: as far as the slower one has come, and at most at a fixed rate."""

    def __init__(self, characters_per_second: float) -> None:
        self._rate = characters_per_second
        self._allowed = 0.0
        self._clock: float | None = None
        self.sides = (PacedSide(), PacedSide())

    def release(self, now_seconds: float) -> Sequence[Release]:
        """Return what to show at this time; call it several times a second."""
        elapsed = 0.0 if self._clock is None else now_seconds - self._clock
        self._clock = now_seconds
        available = self._available()
        # Time in which nothing could be shown is not made up for: a burst after a pause would tell who paused.
        self._allowed = min(self._allowed + elapsed * self._rate, float(available))
        released = [self._advance(number, min(int(self._allowed), available)) for number in range(len(self.sides))]
        return [part for part in released if part is not None]

    @property
    def is_done(self) -> bool:
        """Whether both sides are shown entirely."""
        return all(side.is_done for side in self.sides)

    def _available(self) -> int:
        """Return how many characters of each side can be shown; a side that has ended does not hold up the other."""
        writing = [len(side.target) for side in self.sides if not side.has_ended]
        return min(writing) if writing else max(len(side.target) for side in self.sides)

    def _advance(self, number: int, characters: int) -> Release | None:
        side = self.sides[number]
        text = side.target[: max(characters, 0)]
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
