"""Choices that depend on a seed alone, the same on every machine and in every version of Python."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class SeededRandom:
    """A stream of choices; two with the same key choose the same."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._drawn = 0

    def integer(self, below: int) -> int:
        """Return a number from 0 up to `below`.

        64 bits modulo a few dozen: the likeliest number is so by less than one part in 10^17.
        """
        digest = hashlib.sha256(f"{self._key}/{self._drawn}".encode()).digest()
        self._drawn += 1
        return int.from_bytes(digest[:8], "big") % below

    def choice(self, items: Sequence[Item]) -> Item:
        """Return one of the items."""
        return items[self.integer(len(items))]

    def sample(self, count: int, items: Sequence[Item]) -> list[Item]:
        """Return `count` different items, in an order that is drawn too."""
        left = list(items)
        return [left.pop(self.integer(len(left))) for _ in range(count)]

    def integers(self, count: int, below: int) -> bytes:
        """Return as many numbers from 0 up to `below`, which is 256 at most, at once: a choice for each letter of a text.

        32 bits modulo 256 at most: the likeliest number is so by less than one part in 10^7.
        """
        digest = hashlib.shake_256(f"{self._key}/{self._drawn}".encode()).digest(4 * count)
        self._drawn += 1
        return bytes(number % below for (number,) in struct.iter_unpack(">I", digest))


def sample_seed(run_seed: int, task: str, ordinal: int) -> int:
    """Return the seed of one sample of a task ("name@version") in a run.

    Neither the model nor the epoch is in it: every model meets the same text, and every repeat is a repeat.
    """
    digest = hashlib.sha256(f"{run_seed}/{task}/{ordinal}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
