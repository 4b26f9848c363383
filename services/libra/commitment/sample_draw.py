"""Draw samples with a secret seed, in a way that anyone can repeat once the seed is published.

Each sample has a rank: the HMAC-SHA256 of its purpose, task and ordinal under the seed. The samples with the lowest
ranks are drawn. The rule has no state and no generator of random numbers, so every language can repeat it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from itertools import groupby

FRESH, CARRIED, RESERVED, ORDER = "fresh", "carried", "reserved", "order"
"""The purposes of a rank: new samples, anchors from the round before, anchors for the next round, and the order of all
samples of a task in the round."""

Ranges = Sequence[Sequence[int]]
"""Ordinals as pairs [first, first after the last]."""


def rank(seed: bytes, purpose: str, task: str, ordinal: int) -> bytes:
    """Return the rank of a sample."""
    return hmac.digest(seed, f"{purpose}/{task}/{ordinal}".encode(), hashlib.sha256)


def draw(seed: bytes, purpose: str, task: str, ordinals: Iterable[int], count: int) -> list[int]:
    """Return the `count` ordinals with the lowest ranks, the lowest first; all of them if there are not more."""
    return nsmallest(count, ordinals, key=lambda ordinal: rank(seed, purpose, task, ordinal))


def to_ranges(ordinals: Iterable[int]) -> list[list[int]]:
    """Return ascending ordinals as ranges."""
    ranges = []
    for _, run in groupby(enumerate(ordinals), key=lambda pair: pair[1] - pair[0]):
        members = [ordinal for _, ordinal in run]
        ranges.append([members[0], members[-1] + 1])
    return ranges


def from_ranges(ranges: Ranges) -> Iterable[int]:
    """Yield the ordinals of the ranges."""
    for first, stop in ranges:
        yield from range(first, stop)


def anchor_count(share: float, samples: int) -> int:
    """Return how many of a task's samples are anchors; at least one if the share is not 0."""
    return max(1, round(share * samples)) if share else 0
