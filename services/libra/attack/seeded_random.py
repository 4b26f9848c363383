"""Random choices that depend only on a seed; they are the same on every machine and in every version of Python."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class SeededRandom:
    """A stream of random choices; two streams with the same key make the same choices."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._position = 0

    def integer(self, below: int) -> int:
        """Return an integer from 0 to `below` - 1.

        It is 64 bits modulo a few dozen, so that the bias is less than one part in 10^17.
        """
        digest = hashlib.sha256(f"{self._key}/{self._position}".encode()).digest()
        self._position += 1
        return int.from_bytes(digest[:8], "big") % below

    def choice(self, items: Sequence[Item]) -> Item:
        """Return one of the items."""
        return items[self.integer(len(items))]

    def sample(self, count: int, items: Sequence[Item]) -> list[Item]:
        """Return `count` different items in random order."""
        remaining = list(items)
        return [remaining.pop(self.integer(len(remaining))) for _ in range(count)]

    def integers(self, count: int, below: int) -> bytes:
        """Return `count` integers from 0 to `below` - 1 at once, for instance one for each letter of a text.

        `below` is at most 256. Each is 32 bits modulo `below`, so that the bias is less than one part in 10^7.
        """
        digest = hashlib.shake_256(f"{self._key}/{self._position}".encode()).digest(4 * count)
        self._position += 1
        return bytes(number % below for (number,) in struct.iter_unpack(">I", digest))


def trial_seed(run_seed: int, task: str, ordinal: int, epoch: int) -> int:
    """Return the seed for one epoch of a sample of a task ("name@version") in a run.

    It does not depend on the model, so that every model gets the same text. Each epoch is a further draw of a random
    attack; the first has the seed that samples had before epochs were a part of it.
    """
    repeat = f"/{epoch}" if epoch else ""
    digest = hashlib.sha256(f"{run_seed}/{task}/{ordinal}{repeat}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
