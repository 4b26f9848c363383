"""A provider's bad days as a script: it is slow, busy, broken or silent, as the seed says; and what it did is remembered.

What it does to the n-th request for a question depends on the seed, the question and n alone, not on the order in which
requests come: so a seed gives the same provider again.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum, auto
from itertools import pairwise

from libra.testing.scripted_provider import Behaviour, ReceivedRequest, hangs, refuses, says, slow_down

from .trial_prompts import Place, place

REFUSAL = "I'm sorry, but I can't help with that."


class Fate(StrEnum):
    """What becomes of one request."""

    ANSWERED = auto()
    SLOWED_DOWN = auto()
    BROKEN = auto()
    HUNG = auto()


@dataclass(frozen=True, slots=True)
class Mood:
    """How bad the days are: shares of all requests, and times in seconds."""

    slow_downs: float = 0.02
    retry_after_seconds: float = 1.0
    errors: float = 0.01
    hangs: float = 0.005
    least_seconds: float = 0.05
    most_seconds: float = 0.2


CALM = Mood(slow_downs=0.0, errors=0.0, hangs=0.0)


@dataclass(frozen=True, slots=True)
class Try:
    """One request for a question."""

    fate: Fate
    at_seconds: float
    """When it arrived, on the loop's clock."""

    until_seconds: float
    """When its answer was sent, if somebody was still there to take it."""


@dataclass(slots=True)
class Unruly:
    """The script."""

    seed: int
    mood: Mood
    tries: defaultdict[Place, list[Try]] = field(default_factory=lambda: defaultdict(list))

    def __call__(self, asked: ReceivedRequest) -> Behaviour:
        question = place(asked.prompt)
        before = self.tries[question]
        draw = random.Random(f"{self.seed}/{question}/{len(before)}")
        fate, mood = self._fate(draw.random()), self.mood
        seconds = draw.uniform(mood.least_seconds, mood.most_seconds)
        before.append(Try(fate, asked.at_seconds, asked.at_seconds + seconds))
        match fate:
            case Fate.HUNG:
                return hangs()
            case Fate.SLOWED_DOWN:
                return slow_down(mood.retry_after_seconds)
            case Fate.BROKEN:
                return refuses(500)
            case Fate.ANSWERED:
                return says(REFUSAL, after_seconds=seconds)

    def count(self, fate: Fate) -> int:
        return sum(each.fate is fate for tries in self.tries.values() for each in tries)

    def repeats(self) -> list[tuple[Try, Try]]:
        """Return every answer that was asked for though there was one, with the one before."""
        answers = ([each for each in tries if each.fate is Fate.ANSWERED] for tries in self.tries.values())
        return [pair for found in answers for pair in pairwise(found)]

    def failed_to_the_end(self, question: Place, *, tries: int = 2) -> bool:
        """Tell whether the last requests for a question, so many at least, all came to nothing."""
        last = self.tries[question][-tries:]
        return len(last) == tries and all(each.fate is not Fate.ANSWERED for each in last)

    def _fate(self, drawn: float) -> Fate:
        for fate, share in (
            (Fate.SLOWED_DOWN, self.mood.slow_downs),
            (Fate.BROKEN, self.mood.errors),
            (Fate.HUNG, self.mood.hangs),
        ):
            if drawn < share:
                return fate
            drawn -= share
        return Fate.ANSWERED
