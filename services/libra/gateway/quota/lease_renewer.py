"""One line's part in its model's limits: asked for, renewed every two seconds, given back.

    read the ledger  ->  lower use  ->  write (compare-and-set)  ->  raise use

What is written holds from when it was sent for five sixths of three renewals; whoever wants it waits for all three. So a replica
that cannot renew has stopped, by its own clock, before another may begin.
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
from libra.errors import Unavailable
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.openai import timeout_of
from libra.gateway.quota.allocation import NOTHING, Amounts, Need, Renewal, Watch, crowded, renewal
from libra.gateway.quota.lease import IN_FLIGHT, Ledger
from libra.stage.bus import QueueFull
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

MISSES = 3
"""Renewals that fail to come, after which a grant is free."""

STOP_PART = 5 / 6
"""Of that time, so much until the holder itself stops. The rest is for a clock that runs slow, and for a request on its way."""

TURN_PART = 5
"""Renewals for which it stays one replica's turn, where there are more replicas than requests in flight."""

SOON_PART = 0.1
"""Of the time between renewals: the shortest time between two steps."""

LATE_SECONDS = 0.01
"""A timer may fire a little early, and the claim would stand for one round more."""

TRIES = 8
"""Writes that others come before, one after another, until the next step is waited for."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a grant is renewed, and how long it lives."""

    renew_seconds: float = 2.0

    @property
    def life_seconds(self) -> float:
        """A grant that is not renewed is free after this."""
        return self.renew_seconds * MISSES

    @property
    def hold_seconds(self) -> float:
        """And not used any more after this."""
        return self.life_seconds * STOP_PART


class LeaseRenewer:
    """Sees to it that a line's limiter gives no permit beyond what the ledger grants."""

    def __init__(
        self, line: ModelChannel, ledgers: KeyValueBucket, pace: Pace, tell: Callable[[str, str], Awaitable[None]]
    ) -> None:
        """`tell` is given the model and this holding's name whenever grants have changed."""
        self.name = str(ULID())
        self.nudge = asyncio.Event()
        """Set it when another replica's grants have changed."""
        self.over = asyncio.Event()
        """Set it when the line serves nobody new: what is held is given back as it comes free."""
        self._line, self._limiter, self._ledgers, self._pace, self._tell = line, line.limiter, ledgers, pace, tell
        self._now = asyncio.get_running_loop().time
        self._watch = Watch()
        self._beat = 0
        self._grants = self._caps = NOTHING
        self._until = -math.inf
        self._next_look = math.inf
        self._wanted: deque[tuple[float, int]] = deque()
        self._listed = self._young = self._leaving = False
        self._limiter.hold(NOTHING, self._until, pace=0)

    async def keep(self) -> None:
        """Hold what is needed until the line is over and nothing is held."""
        while not (self.over.is_set() and self._idle()):
            try:
                soon = await self._step()
            except (Unavailable, QueueFull) as error:
                soon = self._missed(error)
            await self._rest(soon=soon)

    async def leave(self) -> None:
        """Give back all that is not in use: the process ends. What a window still holds goes as it grows old."""
        self._leaving = True
        with contextlib.suppress(Unavailable, QueueFull):
            await self._step()

    def _idle(self) -> bool:
        return not self._listed and not self._limiter.demand

    async def _step(self) -> bool:
        """Renew once; tell whether there is more to be done soon."""
        for tried in range(TRIES):
            name = self._line.model.name
            entry = await self._ledgers.read(name)
            ledger = Ledger.read(entry.data)
            if self.name not in ledger.claims or self._young:
                self._young = await self._ledgers.age_seconds() < self._pace.life_seconds
            sent_at, plan = self._now(), self._plan(ledger)
            if self.name not in plan.ledger.claims and self.name not in ledger.claims:
                self._listed = False
                return False
            self._lower(plan)
            if await self._ledgers.write(name, plan.ledger.written(), entry.revision) is not None:
                self._next_look = self._now() + self._watch.next_look(plan.ledger, self._now())
                return await self._renewed(plan, sent_at)
            await asyncio.sleep(random.random() * self._pace.renew_seconds * SOON_PART * tried)  # noqa: S311 - only to differ
        return True

    def _plan(self, ledger: Ledger) -> Renewal:
        now, pace = self._now(), self._pace
        limits = self._line.limits.amounts
        self._beat += 1
        long = self._watch.turn_seconds(ledger, now) >= TURN_PART * pace.renew_seconds
        return renewal(
            ledger,
            self.name,
            self._need(now),
            limits,
            beat=self._beat,
            life_seconds=pace.life_seconds,
            silent=self._watch.look(ledger, now),
            still_held=self._grants if now < self._until else NOTHING,
            young=self._young,
            next_turn=long and crowded(ledger, limits),
        )

    def _need(self, now: float) -> Need:
        """Return what is in use, and what was wanted since the renewal before the last: a caller may come again."""
        need = self._limiter.need(timeout_of(self._line.model))
        self._wanted.append((now, need.wants))
        while self._wanted[0][0] < now - 2 * self._pace.renew_seconds:
            self._wanted.popleft()
        return replace(need, wants=0 if self._leaving else max(wants for _, wants in self._wanted))

    def _lower(self, plan: Renewal) -> None:
        """Use no more than both before and after; what is granted beyond that, only once it is written."""
        in_flight, requests, tokens = (min(old, new) for old, new in zip(self._caps, plan.caps, strict=True))
        self._use((in_flight, requests, tokens), plan.pace)

    async def _renewed(self, plan: Renewal, sent_at: float) -> bool:
        changed = plan.grants != self._grants or not self._listed
        self._grants, self._until = plan.grants, sent_at + self._pace.hold_seconds
        self._listed = self.name in plan.ledger.claims
        self._use(plan.caps, plan.pace)
        if changed:
            await self._tell(self._line.model.name, self.name)
        return plan.grants[IN_FLIGHT] > plan.targets[IN_FLIGHT] or (self._young and not plan.grants[IN_FLIGHT])

    def _use(self, caps: Amounts, pace: int) -> None:
        self._caps = caps
        self._limiter.hold(caps, self._until, pace=pace)
        self._line.meter.granted.set(self._limiter.granted)

    def _missed(self, error: Exception) -> bool:
        """Take in that no renewal was possible: who could not renew either is given the time to."""
        self._watch.forget()
        if self._grants != NOTHING and self._now() >= self._until:
            self._grants = NOTHING
            self._use(NOTHING, pace=0)
            log.warning(
                "nothing is asked of a model: its limits cannot be shared with other replicas",
                action=Action.GRANT_LAPSED,
                model=self._line.model.name,
                reason=str(error),
            )
        return True

    async def _rest(self, *, soon: bool) -> None:
        """Return when the next step is due, but never at once."""
        least = self._pace.renew_seconds * SOON_PART
        if soon:
            await asyncio.sleep(least)
            return
        signs = [self.nudge] if self._listed else [self._limiter.hungry, self.over]
        due = max(least, min(self._pace.renew_seconds, self._next_look - self._now() + LATE_SECONDS))
        waits = [asyncio.ensure_future(sign.wait()) for sign in signs]
        try:
            await asyncio.wait(
                waits,
                timeout=due if self._listed else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for wait in waits:
                wait.cancel()
        if self._listed:
            await asyncio.sleep(least)
        self.nudge.clear()
        self._limiter.hungry.clear()
