"""Find repeated ids among millions of them in little memory."""

from __future__ import annotations

from array import array

FIRST_SLOTS = 1024
MAX_LOAD = 0.6


class IdIndex:
    """Maps ids to numbers below 2^32 by their 64-bit hashes: 20 to 40 bytes per id, where a dict needs about 200.

    Two different ids among a million have the same hash with a probability of 3 in 100 million.
    """

    def __init__(self) -> None:
        self._allocate(FIRST_SLOTS)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, key: str, number: int) -> int:
        """Return the number that was first stored for the id, which is `number` if the id is new."""
        if self._count >= len(self._hashes) * MAX_LOAD:
            self._grow()
        digest = (hash(key) & 0xFFFF_FFFF_FFFF_FFFF) or 1  # 0 marks a free slot
        slot = self._find(digest)
        if not self._hashes[slot]:
            self._hashes[slot], self._numbers[slot] = digest, number
            self._count += 1
            return number
        return self._numbers[slot]

    def _find(self, digest: int) -> int:
        """Return the slot of the hash, or the free slot where it belongs."""
        hashes, mask = self._hashes, len(self._hashes) - 1
        slot = digest & mask
        while hashes[slot] and hashes[slot] != digest:
            slot = (slot + 1) & mask
        return slot

    def _allocate(self, slots: int) -> None:
        self._hashes = array("Q", bytes(8 * slots))
        self._numbers = array("I", bytes(4 * slots))

    def _grow(self) -> None:
        stored = zip(self._hashes, self._numbers, strict=True)
        self._allocate(2 * len(self._hashes))
        for digest, number in stored:
            if digest:
                slot = self._find(digest)
                self._hashes[slot], self._numbers[slot] = digest, number
