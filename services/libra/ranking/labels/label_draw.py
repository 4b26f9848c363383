"""Draws trials at random, so that every process and every repetition draws the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

PURPOSE = b"label/"
"""Keeps the order apart from that of any other hash of the same ids."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Trials that were drawn from all trials of one model, task and attack."""

    trials: Sequence[str]
    """Their ids, in order."""

    inclusion_probability: float
    """The share of all trials, in (0, 1]; the same for each of them."""


def draw_trials(ids: Sequence[str], size: int) -> Draw:
    """Return `size` of at least one trial, or all if there are fewer.

    They are those whose ids have the smallest hashes (permanent random numbers; Ohlsson 1995, "Coordination of samples
    using permanent random numbers"). A run's id is random, so that nobody can choose what is drawn. A larger draw
    contains every smaller one: labels of both are a simple random sample.
    """
    drawn = sorted(sorted(ids, key=_random_number)[:size])
    return Draw(drawn, len(drawn) / len(ids))


def draw_size(inclusion_probability: float, trials: int) -> int:
    """Return the size of the draw from this number of trials that has this inclusion probability."""
    return round(inclusion_probability * trials)


def _random_number(trial: str) -> bytes:
    return hashlib.sha256(PURPOSE + trial.encode()).digest()
