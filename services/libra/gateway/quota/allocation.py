"""What a replica may write into the ledger of grants, and what it may then use: all the arithmetic, and no clock or queue.

Three rules keep the sum of what is used below each limit, whoever writes when, as long as the ledger is changed by
compare-and-set alone:

1. A grant is raised by no more than what no claim in the ledger holds, and is used only once it is written.
2. Use is lowered first; what is then still used stays granted until it has ended.
3. A claim whose beat stands still is worth its whole grant until its holder must have stopped using it. The holder counts from
   when it sent its last renewal, the others from when they first saw it, each on its own clock: so the holder is always first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from libra.gateway.quota.fair_share import fair, in_proportion
from libra.gateway.quota.lease import AGE_SECONDS, IN_FLIGHT, KINDS, REQUESTS, Claim, Ledger, Part

Amounts = tuple[int, int, int]
"""Of requests in flight, requests a minute, tokens a minute."""

NOTHING: Amounts = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Need:
    """What a replica wants, and what it is using."""

    wants: int
    used: Amounts
    ages: tuple[Mapping[int, int], Mapping[int, int], Mapping[int, int]]
    """What of it is used up, by step of age; nothing of the requests in flight."""

    tail_seconds: float


@dataclass(frozen=True, slots=True)
class Renewal:
    """What to write, and what may be used once it is written; until then no more than before, of each."""

    ledger: Ledger
    caps: Amounts
    grants: Amounts
    targets: Amounts

    @property
    def pace(self) -> int:
        """Requests a minute that this replica comes to, once all that it hands over or takes over has changed hands."""
        return self.targets[REQUESTS]


@dataclass(slots=True)
class Watch:
    """What one replica has seen of the others' beats, on its own clock."""

    _beats: dict[str, tuple[int, float]] = field(default_factory=dict)
    _turn: tuple[int, float] = (-1, 0.0)

    def look(self, ledger: Ledger, now: float) -> dict[str, float]:
        """Return for how long each claim has stood still."""
        for name, claim in ledger.claims.items():
            beat, _ = self._beats.get(name, (None, now))
            if beat != claim.beat:
                self._beats[name] = (claim.beat, now)
        self._beats = {name: seen for name, seen in self._beats.items() if name in ledger.claims}
        return {name: now - since for name, (_, since) in self._beats.items()}

    def next_look(self, ledger: Ledger, now: float) -> float:
        """Return how soon there may be something free: a claim lapses, or one that has lapsed grows older."""
        seen = [(self._beats[name][1], claim) for name, claim in ledger.claims.items() if name in self._beats]
        lapses = [since + claim.life_seconds - now for since, claim in seen]
        return min((seconds if seconds > 0 else AGE_SECONDS for seconds in lapses), default=math.inf)

    def turn_seconds(self, ledger: Ledger, now: float) -> float:
        """Return for how long it has been the same replica's turn."""
        if self._turn[0] != ledger.turn:
            self._turn = (ledger.turn, now)
        return now - self._turn[1]

    def forget(self) -> None:
        """Begin anew: after an outage, who could not renew is given the time to."""
        self._beats.clear()


def renewal(
    ledger: Ledger,
    me: str,
    need: Need,
    limits: Amounts,
    *,
    beat: int,
    life_seconds: float,
    silent: Mapping[str, float],
    still_held: Amounts = NOTHING,
    young: bool = False,
    next_turn: bool = False,
) -> Renewal:
    """Return this replica's next step. A limit of 0 is none, and nothing is held of it.

    `young`: the ledger may have been lost a moment ago, and claims that stood in it may be in use without standing in this one.
    Then nobody takes more than what it still holds or uses.
    """
    worn = {name: claim.worn(silent.get(name, 0.0)) for name, claim in ledger.claims.items() if name != me}
    others = {
        name: claim for name, claim in worn.items() if not claim.empty or silent.get(name, 0.0) < claim.life_seconds
    }
    turn = ledger.turn + next_turn
    targets = _targets(limits, {name: claim.wants for name, claim in others.items()} | {me: need.wants}, me, turn)
    mine = ledger.claims.get(me)
    held = _grants(mine) if mine else still_held if young else NOTHING
    room = [limit - sum(_grants(claim)[kind] for claim in others.values()) for kind, limit in enumerate(limits)]
    grants = _amounts([_grant(targets[kind], held[kind], need.used[kind], room[kind], young=young) for kind in KINDS])
    in_flight, requests, tokens = (Part.of(grants[kind], need.ages[kind], life_seconds) for kind in KINDS)
    claim = Claim(beat, life_seconds, need.tail_seconds, need.wants, (in_flight, requests, tokens))
    kept = {} if claim.empty and not need.wants else {me: claim}
    return Renewal(Ledger(others | kept, turn), _caps(targets, grants), grants, targets)


def crowded(ledger: Ledger, limits: Amounts) -> bool:
    """Tell whether more replicas want to ask than may at once."""
    return sum(claim.wants > 0 for claim in ledger.claims.values()) > min(limit for limit in limits if limit)


def _grant(target: int, held: int, used: int, room: int, *, young: bool) -> int:
    """Return what to hold of one limit, of which the others leave `room`: also what is in use, until it has ended."""
    most = min(target, held) if young else target
    return max(0, min(max(most, used), room))


def _caps(targets: Amounts, grants: Amounts) -> Amounts:
    """Return what may be used: no more than the target, so that what is above it comes free.

    Not of requests a minute: who hands some over would ask nothing at all until enough of its window had passed. It goes on at
    the slower pace, and the rest of what leaves its window comes free.
    """
    in_flight, _, tokens = (min(target, grant) for target, grant in zip(targets, grants, strict=True))
    return in_flight, grants[REQUESTS] if targets[REQUESTS] else 0, tokens


def _targets(limits: Amounts, wants: Mapping[str, int], me: str, turn: int) -> Amounts:
    in_flight = fair(limits[IN_FLIGHT], wants, turn)
    per_minute = [in_proportion(limit, in_flight, turn)[me] for limit in limits[1:]]
    return _amounts([in_flight[me], *per_minute])


def _grants(claim: Claim) -> Amounts:
    return _amounts([part.grant for part in claim.parts])


def _amounts(values: Sequence[int]) -> Amounts:
    in_flight, requests, tokens = values
    return in_flight, requests, tokens
