"""Limits on the battles that a visitor, and all visitors of an address, start in an hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from libra.arena.integrity.proof_of_work import ProofOfWork
from libra.arena.integrity.visitor_hash import VisitorHash
from libra.core.errors import LimitReached
from libra.telemetry.metrics import Metrics

NEAR_SHARE = 0.5
"""From this share of a limit on, a battle costs a proof of work."""


class Usage(Protocol):
    """Counts by key and hour; implemented by `libra.store.arena.usage.UsageCollection`."""

    async def get(self, key: str, hour: datetime) -> int:
        """Return the count of a key in an hour."""

    async def add(self, key: str, hour: datetime, number: int = 1) -> int:
        """Add to a count and return the new one."""


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """Admits battles by counts that all replicas share."""

    usage: Usage
    proofs: Callable[[], ProofOfWork]
    """Returns the challenges, once their key is known."""
    metrics: Metrics
    per_visitor: int
    per_address: int

    async def admit(self, who: VisitorHash, proof: str) -> str:
        """Count one more battle; return "" if it may start, else a challenge that has to be solved first.

        Raises LimitReached.
        """
        now = datetime.now(UTC)
        hour = now.replace(minute=0, second=0, microsecond=0)
        limits = {f"visitor/{who.visitor}": self.per_visitor, f"address/{who.address}": self.per_address}
        used = {key: await self.usage.get(key, hour) for key in limits}
        if any(used[key] >= limit for key, limit in limits.items()):
            self.metrics.arena_refusals.labels(reason="limit").inc()
            wait = hour + timedelta(hours=1) - now
            raise LimitReached(
                f"this visitor or address has started as many battles as an hour allows; try again in "
                f"{wait.seconds // 60 + 1} minutes",
                retry_after_seconds=wait.total_seconds(),
            )
        if any(used[key] >= NEAR_SHARE * limit for key, limit in limits.items()):
            nonce = self.proofs().nonce_of(proof, who.visitor) if proof else ""
            # A solution is good for one battle.
            if not nonce or await self.usage.add(f"proof/{nonce}", hour) > 1:
                self.metrics.arena_refusals.labels(reason="proof").inc()
                return self.proofs().challenge(who.visitor)
        for key in limits:
            await self.usage.add(key, hour)
        return ""
