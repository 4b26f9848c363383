"""Merkle trees as Certificate Transparency defines them (RFC 6962, section 2.1; the same in RFC 9162)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

LEAF_PREFIX, NODE_PREFIX = b"\x00", b"\x01"
"""They keep a node from being passed off as a leaf."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with these children."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


class MerkleTree:
    """A tree over leaves that do not change; it keeps every node, about twice as many as there are leaves."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        # Each level pairs the nodes of the one below; a last node without a partner moves up as it is. This is the tree
        # of the RFC, which splits at the largest power of two below the number of leaves.
        self._levels = [[leaf_hash(leaf) for leaf in leaves]]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            paired = [node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
            self._levels.append(paired + below[len(paired) * 2 :])

    @property
    def root(self) -> bytes:
        """The root; without leaves the hash of no bytes."""
        top = self._levels[-1]
        return top[0] if top else hashlib.sha256(b"").digest()

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the siblings on the way from a leaf to the root (RFC 6962, section 2.1.1)."""
        proof = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                proof.append(level[sibling])
            index //= 2
        return proof


def root_from_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Return the root of a tree of `size` leaves that an inclusion proof leads to (RFC 9162, section 2.1.3.2).

    None if the proof has the wrong length, or the index is not in the tree.
    """
    if not 0 <= index < size:
        return None
    node, last, remaining = leaf_hash(leaf), size - 1, list(proof)
    while last:
        if index % 2 or index < last:  # the node has a sibling at this level
            if not remaining:
                return None
            sibling = remaining.pop(0)
            node = node_hash(sibling, node) if index % 2 else node_hash(node, sibling)
        index, last = index // 2, last // 2
    return None if remaining else node
