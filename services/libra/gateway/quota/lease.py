"""Leases on the limits of one model, as the bucket stores them, and what remains of a lease that is not renewed.

A model has three limits: requests in flight, requests per minute, tokens per minute. A lease holds an amount of each.
The used part of a limit per minute is what the sliding window of its holder counts, so another replica can take over
what has left that window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import orjson

from libra.gateway.limits.request_budget import Quota
from libra.gateway.limits.sliding_window import AGE_SECONDS, WINDOW_SECONDS

IN_FLIGHT, REQUESTS, TOKENS = KINDS = range(3)


@dataclass(frozen=True, slots=True)
class LeasedAmount:
    """The part of one limit that a lease holds."""

    amount: int = 0
    unused: int = 0
    """The part that may still be used, or is in flight; the rest is used and counts until it leaves the window."""

    used_by_age: tuple[int, ...] = ()
    """The used part by its age when this was written, in steps of `AGE_SECONDS`."""

    @classmethod
    def of(cls, amount: int, used_by_age: Mapping[int, int], lifetime_seconds: float) -> Self:
        """Return an amount of which a part is used, by step of age.

        What leaves the window before the lease expires can be used again until then, so it counts as unused.
        """
        steps = int((WINDOW_SECONDS - lifetime_seconds) / AGE_SECONDS)
        ages, left = [], amount
        for step in range(max(steps, 0)):
            ages.append(min(used_by_age.get(step, 0), left))
            left -= ages[-1]
        while ages and not ages[-1]:
            ages.pop()
        return cls(amount, left, tuple(ages))

    def remaining(self, silent_seconds: float, lifetime_seconds: float, linger_seconds: float) -> int:
        """Return how much of it still counts when its holder has been silent for this long.

        All of it counts until the lease expires. After that its holder starts nothing: the unused part counts for
        `linger_seconds` more, and the used part counts until it leaves the window.
        """
        if silent_seconds < lifetime_seconds:
            return self.amount
        unused = self.unused if silent_seconds < lifetime_seconds + linger_seconds else 0
        used = sum(n for step, n in enumerate(self.used_by_age) if step * AGE_SECONDS + silent_seconds < WINDOW_SECONDS)
        return min(self.amount, unused + used)


@dataclass(frozen=True, slots=True)
class Lease:
    """One replica's part of a model's limits. Only its holder writes it, except that others reduce an expired lease."""

    heartbeat: int
    """Changes with every renewal."""

    lifetime_seconds: float
    """Its holder starts nothing once this time has passed since the last renewal."""

    max_request_seconds: float
    """Requests of its holder end within this time."""

    demand: int
    """Requests that its holder would have in flight without limits."""

    amounts: tuple[LeasedAmount, LeasedAmount, LeasedAmount]

    @property
    def quota(self) -> Quota:
        """The amount of each limit."""
        in_flight, requests, tokens = self.amounts
        return in_flight.amount, requests.amount, tokens.amount

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        return not any(self.quota)

    def after_silence(self, silent_seconds: float) -> Lease:
        """Return what remains of the lease after its holder has been silent for this long."""
        if silent_seconds < self.lifetime_seconds:
            return self
        request_seconds = self.max_request_seconds
        lingers = (request_seconds, WINDOW_SECONDS, request_seconds + WINDOW_SECONDS)
        in_flight, requests, tokens = (
            replace(leased, amount=leased.remaining(silent_seconds, self.lifetime_seconds, linger_seconds))
            for leased, linger_seconds in zip(self.amounts, lingers, strict=True)
        )
        return replace(self, demand=0, amounts=(in_flight, requests, tokens))


@dataclass(frozen=True, slots=True)
class LeaseTable:
    """The leases on one model's limits, by replica."""

    leases: Mapping[str, Lease] = field(default_factory=dict)
    rotation: int = 0
    """Decides which replicas have their turn when more have a demand than a limit can serve."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the table that `to_bytes` wrote; an empty one if there is no data or it is unreadable."""
        try:
            document = orjson.loads(data) if data else {}
            leases = {name: _lease(lease) for name, lease in document.get("claims", {}).items()}
            return cls(leases, int(document.get("turn", 0)))
        except (ValueError, TypeError, AttributeError, KeyError):
            return cls()

    def to_bytes(self) -> bytes:
        """Return the table as the bucket stores it. Replicas of other versions read it: its keys do not change."""
        leases = {name: _document(lease) for name, lease in self.leases.items()}
        return orjson.dumps({"turn": self.rotation, "claims": leases})


def _lease(document: Mapping[str, Any]) -> Lease:
    in_flight, requests, tokens = (
        LeasedAmount(amount, unused, tuple(ages)) for amount, unused, *ages in document["parts"]
    )
    return Lease(
        heartbeat=document["beat"],
        lifetime_seconds=document["life_seconds"],
        max_request_seconds=document["tail_seconds"],
        demand=document["wants"],
        amounts=(in_flight, requests, tokens),
    )


def _document(lease: Lease) -> dict[str, Any]:
    return {
        "beat": lease.heartbeat,
        "life_seconds": lease.lifetime_seconds,
        "tail_seconds": lease.max_request_seconds,
        "wants": lease.demand,
        "parts": [[leased.amount, leased.unused, *leased.used_by_age] for leased in lease.amounts],
    }
