"""Remove old texts and dead letters according to the policy, by one replica at a time and in small batches."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt

import structlog
from ulid import ULID

from libra.bus.dead_letters import DeadLetters
from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.store.client import Store
from libra.store.documents.create_time import now
from libra.store.maintenance.retention.policy import RetentionPolicy, RetentionRule
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

LEASE = "retention"
LEASE_SECONDS = 60.0
PASS_SECONDS = 3600.0
"""Interval between two passes over the collections."""

PAUSE_SECONDS = 0.1
"""Pause between two batches, so that runs keep most of the disk."""


class RetentionWorker:
    """Applies the policy once an hour. A pass that was interrupted starts again: what is removed is passed over."""

    def __init__(
        self,
        store: Store,
        dead_letters: DeadLetters,
        policy: RetentionPolicy,
        dead_letters_days: int = 0,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._store, self._dead_letters, self._policy = store, dead_letters, policy
        self._dead_letters_days, self._pause_seconds = dead_letters_days, pause_seconds
        self._holder = str(ULID())

    async def work(self, stop: asyncio.Event) -> None:
        """Apply the policy until `stop` is set; do nothing if everything is kept."""
        if self._policy == RetentionPolicy() and not self._dead_letters_days:
            await stop.wait()
        while not stop.is_set():
            with contextlib.suppress(Unavailable):  # readiness reports it; the next pass catches up
                await self.apply(stop)
            await wait_until_set(stop, PASS_SECONDS)

    async def apply(self, stop: asyncio.Event) -> int:
        """Make one pass; return how many documents and dead letters it changed, 0 if another replica makes it."""
        changed = 0
        for rule in self._policy.rules(now()):
            changed += await self._apply_rule(rule, stop)
        if self._dead_letters_days and await self._has_lease():
            before = now() - dt.timedelta(days=self._dead_letters_days)
            changed += await self._dead_letters.delete_before(before)
        return changed

    async def _apply_rule(self, rule: RetentionRule, stop: asyncio.Event) -> int:
        after, changed = "", 0
        while not stop.is_set() and await self._has_lease():
            step = await self._store.text_removal.apply_batch(rule, after)
            changed += step.changed
            if not (after := step.last):
                break
            await wait_until_set(stop, self._pause_seconds)
        if changed:
            log.info("old texts were removed", action=Action.TEXTS_REMOVED, kind=rule.kind, documents=changed)
        return changed

    async def _has_lease(self) -> bool:
        return await self._store.leases.acquire(LEASE, self._holder, LEASE_SECONDS)
