"""What a replica holds of a model's limits, as it stands in the ledger of grants; and what of it outlives its holder.

A model has three limits: requests in flight, requests a minute, tokens a minute. Each is held and used in the same way: what is
used of a limit per minute is what the sliding window holds, so that what somebody else may take of it is what has left it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import orjson

from libra.gateway.limits.sliding_window import WINDOW_SECONDS

IN_FLIGHT, REQUESTS, TOKENS = KINDS = range(3)

AGE_SECONDS = 1.0
"""The grain of what is told of a window: used up within the last second, the second before that, and so on."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is held of one limit."""

    grant: int = 0
    fresh: int = 0
    """So much of it may be begun from now on, or is under way; the rest is used up and grows old."""

    ages: tuple[int, ...] = ()
    """What is used up, by age when this was written, in steps of `AGE_SECONDS`."""

    @classmethod
    def of(cls, grant: int, used: Mapping[int, int], life_seconds: float) -> Self:
        """Return a part of which so much is used up, by step of age.

        What leaves the window before the holder has stopped may be begun anew until then: it counts as fresh.
        """
        steps = int((WINDOW_SECONDS - life_seconds) / AGE_SECONDS)
        ages, left = [], grant
        for step in range(max(steps, 0)):
            ages.append(min(used.get(step, 0), left))
            left -= ages[-1]
        while ages and not ages[-1]:
            ages.pop()
        return cls(grant, left, tuple(ages))

    def left(self, silent_seconds: float, life_seconds: float, lingers_seconds: float) -> int:
        """Return how much of it counts when its holder was last heard of so long ago.

        All of it for `life_seconds`. Then nothing new is begun: what is fresh lingers on for a while, and what was used up
        goes as it leaves the window.
        """
        if silent_seconds < life_seconds:
            return self.grant
        fresh = self.fresh if silent_seconds < life_seconds + lingers_seconds else 0
        old = sum(n for step, n in enumerate(self.ages) if step * AGE_SECONDS + silent_seconds < WINDOW_SECONDS)
        return min(self.grant, fresh + old)


@dataclass(frozen=True, slots=True)
class Claim:
    """One replica's part in a model's limits. Only the replica itself writes it, but for what others take of the dead."""

    beat: int
    """Another with every sign of life."""

    life_seconds: float
    """Its holder begins nothing once this has passed since its last sign of life."""

    tail_seconds: float
    """Its requests end within this."""

    wants: int
    """Requests it would have in flight if it could."""

    parts: tuple[Part, Part, Part]

    @property
    def empty(self) -> bool:
        """Whether nothing is held."""
        return not any(part.grant for part in self.parts)

    def worn(self, silent_seconds: float) -> Claim:
        """Return what is left of the claim after so long a silence."""
        if silent_seconds < self.life_seconds:
            return self
        lingers = (self.tail_seconds, WINDOW_SECONDS, self.tail_seconds + WINDOW_SECONDS)
        in_flight, requests, tokens = (
            replace(part, grant=part.left(silent_seconds, self.life_seconds, lingering))
            for part, lingering in zip(self.parts, lingers, strict=True)
        )
        return replace(self, wants=0, parts=(in_flight, requests, tokens))


@dataclass(frozen=True, slots=True)
class Ledger:
    """The claims on one model, by replica."""

    claims: Mapping[str, Claim] = field(default_factory=dict)
    turn: int = 0
    """Whose turn it is where there are more who want than there is to give."""

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Return what `written` wrote; an empty ledger for nothing, and for what nobody can read: it is written anew."""
        try:
            document = orjson.loads(data) if data else {}
            claims = {name: _claim(claim) for name, claim in document.get("claims", {}).items()}
            return cls(claims, int(document.get("turn", 0)))
        except (ValueError, TypeError, AttributeError, KeyError):
            return cls()

    def written(self) -> bytes:
        """Return the ledger as it is kept."""
        return orjson.dumps(
            {"turn": self.turn, "claims": {name: _document(claim) for name, claim in self.claims.items()}}
        )


def _claim(document: Mapping[str, Any]) -> Claim:
    in_flight, requests, tokens = (Part(grant, fresh, tuple(ages)) for grant, fresh, *ages in document["parts"])
    return Claim(
        beat=document["beat"],
        life_seconds=document["life_seconds"],
        tail_seconds=document["tail_seconds"],
        wants=document["wants"],
        parts=(in_flight, requests, tokens),
    )


def _document(claim: Claim) -> dict[str, Any]:
    return {
        "beat": claim.beat,
        "life_seconds": claim.life_seconds,
        "tail_seconds": claim.tail_seconds,
        "wants": claim.wants,
        "parts": [[part.grant, part.fresh, *part.ages] for part in claim.parts],
    }
