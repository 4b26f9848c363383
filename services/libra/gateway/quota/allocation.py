"""The arithmetic of leases: what a replica may write into the lease table, and what it may then use. Pure.

Three rules keep the sum of what all replicas use below each limit, in whatever order they write, as long as the table
is changed by compare-and-set only:

1. A lease grows by no more than what no lease in the table holds, and the growth is used only once it is written.
2. Use is reduced before the lease; what is still in use after that stays leased until it has ended.
3. A lease without a new heartbeat counts in full until its holder must have stopped using it. The holder counts from
   when it sent its last renewal, the others from when they first saw it, each on its own clock: so the holder always
   stops first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from libra.gateway.limits.request_budget import NO_QUOTA, Quota, QuotaUsage
from libra.gateway.limits.sliding_window import AGE_SECONDS
from libra.gateway.quota.fair_share import fair_shares, proportional_shares
from libra.gateway.quota.lease import IN_FLIGHT, KINDS, REQUESTS, Lease, LeasedAmount, LeaseTable


@dataclass(frozen=True, slots=True)
class RenewalPlan:
    """The table to write, and what may be used once it is written."""

    table: LeaseTable
    usable: Quota
    leased: Quota
    targets: Quota
    """The fair share of this replica, which it reaches once other replicas have released what they use."""

    @property
    def target_requests(self) -> int:
        """Requests per minute of this replica once all that it releases or takes over has changed hands."""
        return self.targets[REQUESTS]


@dataclass(slots=True)
class HeartbeatMonitor:
    """Remembers when this replica saw the heartbeats of the others, on its own clock."""

    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)
    _rotation: tuple[int, float] = (-1, 0.0)

    def observe(self, table: LeaseTable, now: float) -> dict[str, float]:
        """Return for how many seconds each lease has had no new heartbeat."""
        for name, lease in table.leases.items():
            heartbeat, _ = self._seen.get(name, (None, now))
            if heartbeat != lease.heartbeat:
                self._seen[name] = (lease.heartbeat, now)
        self._seen = {name: seen for name, seen in self._seen.items() if name in table.leases}
        return {name: now - since for name, (_, since) in self._seen.items()}

    def next_expiry_seconds(self, table: LeaseTable, now: float) -> float:
        """Return how soon quota may become free: when a lease expires, or an expired one ages by one step."""
        seen = [(self._seen[name][1], lease) for name, lease in table.leases.items() if name in self._seen]
        expiries = [since + lease.lifetime_seconds - now for since, lease in seen]
        return min((seconds if seconds > 0 else AGE_SECONDS for seconds in expiries), default=math.inf)

    def rotation_seconds(self, table: LeaseTable, now: float) -> float:
        """Return for how long the rotation has not changed."""
        if self._rotation[0] != table.rotation:
            self._rotation = (table.rotation, now)
        return now - self._rotation[1]

    def reset(self) -> None:
        """Forget all heartbeats after an outage: the other replicas could not renew either, and get the time to."""
        self._seen.clear()


def plan_renewal(
    table: LeaseTable,
    me: str,
    usage: QuotaUsage,
    limits: Quota,
    *,
    heartbeat: int,
    lifetime_seconds: float,
    silent_seconds: Mapping[str, float],
    still_leased: Quota = NO_QUOTA,
    is_young: bool = False,
    rotate: bool = False,
) -> RenewalPlan:
    """Return this replica's next step. A limit of 0 is no limit, and nothing of it is leased.

    `is_young`: the bucket may have been lost a moment ago, so leases may be in use that are missing in this table. Then
    no replica takes more than it still leases (`still_leased`) or uses.
    """
    others = _live_leases(table, me, silent_seconds)
    rotation = table.rotation + rotate
    demands = {name: lease.demand for name, lease in others.items()} | {me: usage.demand}
    targets = _targets(limits, demands, me, rotation)
    mine = table.leases.get(me)
    held = mine.quota if mine else still_leased if is_young else NO_QUOTA
    free = [limit - sum(lease.quota[kind] for lease in others.values()) for kind, limit in enumerate(limits)]
    leased = _quota(
        [_amount(targets[kind], held[kind], usage.used[kind], free[kind], is_young=is_young) for kind in KINDS]
    )
    in_flight, requests, tokens = (
        LeasedAmount.of(leased[kind], usage.used_by_age[kind], lifetime_seconds) for kind in KINDS
    )
    lease = Lease(heartbeat, lifetime_seconds, usage.max_request_seconds, usage.demand, (in_flight, requests, tokens))
    own = {} if lease.is_empty and not usage.demand else {me: lease}
    return RenewalPlan(LeaseTable(others | own, rotation), _usable(targets, leased), leased, targets)


def is_oversubscribed(table: LeaseTable, limits: Quota) -> bool:
    """Tell whether more replicas have a demand than the smallest limit can serve at once."""
    return sum(lease.demand > 0 for lease in table.leases.values()) > min(limit for limit in limits if limit)


def _live_leases(table: LeaseTable, me: str, silent_seconds: Mapping[str, float]) -> dict[str, Lease]:
    """Return what remains of the other replicas' leases, without those that have expired and hold nothing."""
    remaining = {
        name: lease.after_silence(silent_seconds.get(name, 0.0)) for name, lease in table.leases.items() if name != me
    }
    return {
        name: lease
        for name, lease in remaining.items()
        if not lease.is_empty or silent_seconds.get(name, 0.0) < lease.lifetime_seconds
    }


def _amount(target: int, held: int, used: int, free: int, *, is_young: bool) -> int:
    """Return how much to lease of one limit, of which `free` is available. What is in use stays leased."""
    wanted = min(target, held) if is_young else target
    return max(0, min(max(wanted, used), free))


def _usable(targets: Quota, leased: Quota) -> Quota:
    """Return what may be used: no more than the target, so that the rest of the lease becomes free.

    Requests per minute are an exception: a replica that releases a part of them would start nothing until enough of its
    window had passed. It continues at the lower target rate instead, and the rest becomes free as requests leave its
    window.
    """
    in_flight, _, tokens = (min(target, amount) for target, amount in zip(targets, leased, strict=True))
    return in_flight, leased[REQUESTS] if targets[REQUESTS] else 0, tokens


def _targets(limits: Quota, demands: Mapping[str, int], me: str, rotation: int) -> Quota:
    in_flight = fair_shares(limits[IN_FLIGHT], demands, rotation)
    per_minute = [proportional_shares(limit, in_flight, rotation)[me] for limit in limits[1:]]
    return _quota([in_flight[me], *per_minute])


def _quota(values: Sequence[int]) -> Quota:
    in_flight, requests, tokens = values
    return in_flight, requests, tokens
