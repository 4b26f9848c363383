"""Lay the trials of a run out in a line, without holding them.

A run's trials for one model are its sections one after another; a section is a task under an attack, and holds each chosen
sample `epochs` times. A cursor is a place in that line: everything before it has been sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from libra.dispatch.spec.sample_selection import choose
from libra.store.runs import RunSection


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive trials of one section, from `start` up to `stop` within it."""

    section: RunSection
    start: int
    stop: int


def total(sections: Sequence[RunSection]) -> int:
    """Return how many trials the line holds."""
    return sum(section.trials for section in sections)


def next_stretch(sections: Sequence[RunSection], cursor: int, most: int) -> Stretch | None:
    """Return the up to `most` trials behind the cursor, all of one section; None at the end of the line."""
    for section in sections:
        if cursor < section.trials:
            return Stretch(section, cursor, min(cursor + most, section.trials))
        cursor -= section.trials
    return None


def sent(sections: Sequence[RunSection], cursor: int) -> Iterator[tuple[RunSection, int]]:
    """Yield each section that the cursor has entered, with how many of its trials were sent."""
    for section in sections:
        if cursor <= 0:
            return
        yield section, min(cursor, section.trials)
        cursor -= section.trials


@dataclass(frozen=True, slots=True)
class Grid:
    """Which (sample, epoch) stands at each place of a task's sections."""

    ordinals: Sequence[int]
    epochs: int

    @classmethod
    def of(cls, task: str, size: int, *, wanted: int, epochs: int, seed: int) -> Grid:
        """Return the grid of a task with `size` samples of which the run takes `wanted` (0 = all), each `epochs` times."""
        return cls(choose(task, size, wanted, seed), epochs)

    def __len__(self) -> int:
        return len(self.ordinals) * self.epochs

    def at(self, place: int) -> tuple[int, int]:
        """Return the sample's ordinal and the epoch of the trial at `place`."""
        return self.ordinals[place // self.epochs], place % self.epochs

    def between(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return what stands at the places from `start` up to `stop`."""
        return [self.at(place) for place in range(start, stop)]
