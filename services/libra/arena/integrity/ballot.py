"""Ballots: the signed right of one visitor to vote once on one battle, for a limited time.

A ballot is `<battle>.<expiry>.<MAC>`. The MAC covers the visitor, so that nobody else can use it. Nothing is stored: a
vote has the id of its battle, so that a ballot is used at most once.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from libra.core.errors import FailedPrecondition, PermissionDenied

MAC_DIGITS = 32
MAX_CHARACTERS = 200
PARTS = 3
FORGED = "the ballot is not valid for this visitor; open the battle again"


class ForgedBallot(PermissionDenied):
    """The ballot was not issued to this visitor."""


class ExpiredBallot(FailedPrecondition):
    """The ballot is too old."""


@dataclass(frozen=True, slots=True)
class BallotSigner:
    """Issues and checks ballots."""

    key: bytes

    def issue(self, battle: str, visitor: str, expire_seconds: int) -> str:
        """Return the ballot of a visitor, by hash, for a battle; `expire_seconds` is a Unix time."""
        return f"{battle}.{expire_seconds}.{self._mac(battle, visitor, str(expire_seconds))}"

    def battle_of(self, ballot: str, visitor: str, now_seconds: float) -> str:
        """Return the battle that a ballot is for. Raises ForgedBallot and ExpiredBallot."""
        parts = ballot.split(".") if len(ballot) <= MAX_CHARACTERS else []
        if len(parts) != PARTS:
            raise ForgedBallot(FORGED, field="ballot")
        battle, expiry, mac = parts
        if not hmac.compare_digest(mac.encode(), self._mac(battle, visitor, expiry).encode()):
            raise ForgedBallot(FORGED, field="ballot")
        if int(expiry) < now_seconds:
            raise ExpiredBallot("the ballot has expired; start another battle", field="ballot")
        return battle

    def _mac(self, battle: str, visitor: str, expiry: str) -> str:
        text = f"ballot\n{battle}\n{visitor}\n{expiry}"
        return hmac.digest(self.key, text.encode(), hashlib.sha256).hex()[:MAC_DIGITS]
