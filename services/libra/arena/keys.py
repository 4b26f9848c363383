"""The keys of the arena, all derived from one that is stored in MongoDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from libra.arena.integrity.ballot import BallotSigner
from libra.arena.integrity.proof_of_work import ProofOfWork
from libra.arena.integrity.visitor_hash import VisitorHash, derive_key, hash_visitor
from libra.core.errors import Unavailable
from libra.v1.arena_pb2 import Visitor


@dataclass(frozen=True, slots=True)
class ArenaKeys:
    """The signer of ballots, the proof of work and the hashes, each with a key of its own."""

    ballots: BallotSigner
    proofs: ProofOfWork
    visitor_key: bytes

    @classmethod
    def derive(cls, key: bytes) -> Self:
        """Return the keys for each purpose."""
        return cls(
            BallotSigner(derive_key(key, "ballots")),
            ProofOfWork(derive_key(key, "proofs").hex()),
            derive_key(key, "visitors"),
        )

    def hash(self, visitor: Visitor) -> VisitorHash:
        """Return what the arena knows a visitor by."""
        return hash_visitor(self.visitor_key, visitor)


class KeyRing:
    """The keys, once they are loaded."""

    def __init__(self) -> None:
        self._keys: ArenaKeys | None = None

    def load(self, key: bytes) -> None:
        """Take the stored key."""
        self._keys = ArenaKeys.derive(key)

    def get(self) -> ArenaKeys:
        """Return the keys. Raises Unavailable before they are loaded."""
        if self._keys is None:
            raise Unavailable("the arena has not read its key from MongoDB yet; try again")
        return self._keys
