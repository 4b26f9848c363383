"""Renewal of one channel's lease on its model's limits.

    read the lease table  ->  reduce use  ->  write (compare-and-set)  ->  increase use

A lease is used for five sixths of its lifetime (three renewal periods), counted from when the renewal was sent; other
replicas wait for the whole lifetime. A replica that cannot renew has therefore stopped, by its own clock, before
another may start.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog
from ulid import ULID

from libra.bus.kv_bucket import KeyValueBucket
from libra.core.errors import Unavailable
from libra.gateway.limits.request_budget import NO_QUOTA, Quota, QuotaUsage
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import timeout_seconds
from libra.gateway.quota.allocation import HeartbeatMonitor, RenewalPlan, is_oversubscribed, plan_renewal
from libra.gateway.quota.lease import IN_FLIGHT, LeaseTable
from libra.gateway.quota.lease_registration import LeaseHolders, LeaseRegistration
from libra.stage.bus import QueueFull
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

LIFETIME_RENEWALS = 3
"""A lease expires after this many renewal periods without a renewal."""

USE_FRACTION = 5 / 6
"""The holder itself stops after this fraction of the lifetime. The rest covers a clock that runs slow, and requests on
their way."""

ROTATION_RENEWALS = 5
"""Renewal periods between two rotations, where more replicas have a demand than requests may be in flight."""

MIN_PAUSE_FRACTION = 0.1
"""The shortest time between two steps, as a fraction of the renewal period."""

TIMER_MARGIN_SECONDS = 0.01
"""A timer may fire a little early, and an expired lease would then count for one more period."""

MAX_WRITE_ATTEMPTS = 8
"""Writes in a row that lose against another replica before the next step is waited for."""

Announce = Callable[[str, str], Awaitable[None]]
"""Tells the other replicas that the lease of (model, lease holder) has changed."""


@dataclass(frozen=True, slots=True)
class LeaseTiming:
    """The renewal interval and the lifetime of a lease."""

    renew_seconds: float

    @property
    def lifetime_seconds(self) -> float:
        """A lease that is not renewed expires after this time."""
        return self.renew_seconds * LIFETIME_RENEWALS

    @property
    def use_seconds(self) -> float:
        """Its holder stops using it after this time."""
        return self.lifetime_seconds * USE_FRACTION


class LeaseRenewer:
    """Keeps a channel's limiter within the channel's lease."""

    def __init__(
        self,
        channel: ModelChannel,
        bucket: KeyValueBucket,
        timing: LeaseTiming,
        announce: Announce,
        holders: LeaseHolders | None = None,
    ) -> None:
        self.holder = str(ULID())
        """The name of this lease holder in the table."""
        self._registration = LeaseRegistration(holders, channel.model.name, self.holder)
        self._channel, self._limiter = channel, channel.limiter
        self._bucket, self._timing, self._announce = bucket, timing, announce
        self._table_changed, self._retired = asyncio.Event(), asyncio.Event()
        self._now = asyncio.get_running_loop().time
        self._monitor = HeartbeatMonitor()
        self._heartbeat = 0
        self._leased = self._usable = NO_QUOTA
        self._expires_at = -math.inf
        self._next_expiry = math.inf
        self._demands: deque[tuple[float, int]] = deque()
        self._is_listed = self._is_young = self._is_leaving = False
        self._limiter.set_quota(NO_QUOTA, self._expires_at, target_requests=0)

    def on_table_changed(self) -> None:
        """Renew soon: another replica changed its lease."""
        self._table_changed.set()

    def retire(self) -> None:
        """Release the lease as its use ends: the channel gets no new requests."""
        self._retired.set()

    async def run(self) -> None:
        """Renew the lease until the channel is retired and holds nothing."""
        while not (self._retired.is_set() and self._is_idle()):
            try:
                renew_soon = await self._renew()
            except (Unavailable, QueueFull) as error:
                renew_soon = self._missed(error)
            await self._wait(soon=renew_soon)

    async def release(self) -> None:
        """Release what is not in use, because the process ends. Used amounts become free as they leave their window."""
        self._is_leaving = True
        with contextlib.suppress(Unavailable, QueueFull):
            await self._renew()

    def _is_idle(self) -> bool:
        return not self._is_listed and not self._limiter.demand

    async def _renew(self) -> bool:
        """Renew once; return whether another renewal should follow soon."""
        for attempt in range(MAX_WRITE_ATTEMPTS):
            name = self._channel.model.name
            entry = await self._bucket.read(name)
            table = LeaseTable.from_bytes(entry.data)
            if self.holder not in table.leases or self._is_young:
                self._is_young = await self._is_table_young(table)
            sent_at, plan = self._now(), self._plan(table)
            if self.holder not in plan.table.leases and self.holder not in table.leases:
                self._is_listed = False
                await self._registration.end()
                return False
            self._reduce_use(plan)
            if await self._bucket.write(name, plan.table.to_bytes(), entry.revision) is not None:
                self._next_expiry = self._now() + self._monitor.next_expiry_seconds(plan.table, self._now())
                return await self._renewed(plan, sent_at)
            jitter = random.random()  # noqa: S311 - replicas only need to differ
            await asyncio.sleep(jitter * self._timing.renew_seconds * MIN_PAUSE_FRACTION * attempt)
        return True

    async def _is_table_young(self, table: LeaseTable) -> bool:
        """Return whether leases may be in use that the table lacks. This holder is recorded before it looks."""
        await self._registration.ensure()
        if await self._bucket.age_seconds() >= self._timing.lifetime_seconds:
            await self._registration.forget_dead(table.leases.keys())
            return False
        return await self._registration.may_have_predecessors()

    def _plan(self, table: LeaseTable) -> RenewalPlan:
        now, timing = self._now(), self._timing
        limits = self._channel.limits.quota
        self._heartbeat += 1
        is_due = self._monitor.rotation_seconds(table, now) >= ROTATION_RENEWALS * timing.renew_seconds
        return plan_renewal(
            table,
            self.holder,
            self._usage(now),
            limits,
            heartbeat=self._heartbeat,
            lifetime_seconds=timing.lifetime_seconds,
            silent_seconds=self._monitor.observe(table, now),
            still_leased=self._leased if now < self._expires_at else NO_QUOTA,
            is_young=self._is_young,
            rotate=is_due and is_oversubscribed(table, limits),
        )

    def _usage(self, now: float) -> QuotaUsage:
        """Return what is in use, and the peak demand of the last two renewal periods: a caller may come again."""
        usage = self._limiter.take_usage(timeout_seconds(self._channel.model))
        self._demands.append((now, usage.demand))
        while self._demands[0][0] < now - 2 * self._timing.renew_seconds:
            self._demands.popleft()
        return replace(usage, demand=0 if self._is_leaving else max(demand for _, demand in self._demands))

    def _reduce_use(self, plan: RenewalPlan) -> None:
        """Use no more than is usable both before and after the renewal; the rest becomes usable once it is written."""
        in_flight, requests, tokens = (min(old, new) for old, new in zip(self._usable, plan.usable, strict=True))
        self._use((in_flight, requests, tokens), plan.target_requests)

    async def _renewed(self, plan: RenewalPlan, sent_at: float) -> bool:
        has_changed = plan.leased != self._leased or not self._is_listed
        self._leased, self._expires_at = plan.leased, sent_at + self._timing.use_seconds
        was_listed, self._is_listed = self._is_listed, self.holder in plan.table.leases
        self._use(plan.usable, plan.target_requests)
        if not self._is_listed:
            await self._registration.end()
        elif not was_listed:
            await self._registration.ensure()
        if has_changed:
            await self._announce(self._channel.model.name, self.holder)
        return plan.leased[IN_FLIGHT] > plan.targets[IN_FLIGHT] or (self._is_young and not plan.leased[IN_FLIGHT])

    def _use(self, quota: Quota, target_requests: int) -> None:
        self._usable = quota
        self._limiter.set_quota(quota, self._expires_at, target_requests=target_requests)
        self._channel.metrics.allocated.set(self._limiter.allocated)

    def _missed(self, error: Exception) -> bool:
        """Handle a failed renewal. Other replicas may have failed to renew as well, so they get the time to."""
        self._monitor.reset()
        if self._leased != NO_QUOTA and self._now() >= self._expires_at:
            self._leased = NO_QUOTA
            self._use(NO_QUOTA, target_requests=0)
            log.warning(
                "requests to a model have stopped: its limits cannot be shared with other replicas",
                action=Action.GRANT_LAPSED,
                model=self._channel.model.name,
                reason=str(error),
            )
        return True

    async def _wait(self, *, soon: bool) -> None:
        """Wait for the next renewal, at least for the shortest pause."""
        min_seconds = self._timing.renew_seconds * MIN_PAUSE_FRACTION
        if soon:
            await asyncio.sleep(min_seconds)
            return
        events = [self._table_changed] if self._is_listed else [self._channel.starved, self._retired]
        expiry_seconds = self._next_expiry - self._now() + TIMER_MARGIN_SECONDS
        due_seconds = max(min_seconds, min(self._timing.renew_seconds, expiry_seconds))
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(
                waits,
                timeout=due_seconds if self._is_listed else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for wait in waits:
                wait.cancel()
        if self._is_listed:
            await asyncio.sleep(min_seconds)
        self._table_changed.clear()
        self._channel.starved.clear()
