"""Permits to ask one model: in flight, per minute, and not while it asks to be left alone."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from libra.errors import Unavailable
from libra.gateway.limits.aimd import AimdLimit
from libra.gateway.limits.rolling_max import RollingMax
from libra.gateway.limits.sliding_window import RequestWindow, TokenWindow
from libra.gateway.limits.slow_start import SlowStart
from libra.gateway.quota.allocation import Amounts, Need
from libra.gateway.quota.lease import AGE_SECONDS
from libra.v1.model_pb2 import ModelLimits

DEFAULT_IN_FLIGHT = 8
SHORTEST_WAIT_SECONDS = 0.001
"""A timer may fire a little early; it is not set for less."""

TAIL_FACTOR = 1.25
"""So much longer than the longest of the last minutes a request may still last."""


class Lane(IntEnum):
    """Who goes first, where several wait."""

    INTERACTIVE = 0
    """Somebody waits for the answer to a call."""

    AGAIN = 1
    """A batch's request that is made again: its neighbours wait for it."""

    BATCH = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be asked of one model, by all replicas together. 0 is no limit, but for requests in flight."""

    in_flight: int = DEFAULT_IN_FLIGHT
    requests_per_minute: int = 0
    tokens_per_minute: int = 0

    @classmethod
    def of(cls, limits: ModelLimits) -> Limits:
        """Return the limits of a model's entry."""
        in_flight = limits.max_in_flight or DEFAULT_IN_FLIGHT
        return cls(in_flight, limits.requests_per_minute, limits.tokens_per_minute)

    @property
    def amounts(self) -> Amounts:
        """The limits as the ledger of grants has them."""
        return self.in_flight, self.requests_per_minute, self.tokens_per_minute


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one request."""

    started: float
    held_tokens: int


@dataclass(frozen=True, slots=True)
class _Waiter:
    tokens: int
    future: asyncio.Future[Permit]


class Limiter:
    """Gives permits in order of lane, then of arrival. Its clock is the loop's.

    Until it is told to `hold` a part of the limits it gives permits up to all of them.
    """

    def __init__(self, limits: Limits) -> None:
        self.in_flight = 0
        self.granted = limits.in_flight
        """Requests in flight that this replica may have."""
        self.on_grant: Callable[[], None] = lambda: None
        """Called whenever `granted` has changed."""
        self.hungry = asyncio.Event()
        """Set when somebody waits and nothing at all is granted."""
        self._limits = limits
        self._until = math.inf
        self._wanted = 0
        self._longest = RollingMax()
        self._pressed: Permit | None = None
        self._pressure = AimdLimit(limits.in_flight)
        self._rise = SlowStart()
        self._requests = RequestWindow(limits.requests_per_minute)
        self._tokens = TokenWindow(limits.tokens_per_minute)
        self._lanes: tuple[deque[_Waiter], ...] = tuple(deque() for _ in Lane)
        self._paused_until = -math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._closed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def counts_tokens(self) -> bool:
        """Whether the tokens of a request matter."""
        return self._tokens.most > 0

    @property
    def level(self) -> int:
        """Requests that would be in flight now if there were enough to ask."""
        return min(self._pressure.level, self.granted)

    @property
    def demand(self) -> int:
        """Requests that would be in flight if all could be; one who has just left may be among them."""
        return self.in_flight + sum(map(len, self._lanes))

    def waiting(self, lane: Lane) -> int:
        """Return how many wait in a lane."""
        return sum(not waiter.future.done() for waiter in self._lanes[lane])

    def change(self, limits: Limits) -> None:
        """Put other limits in force, for every permit from here on; those given out stay."""
        self._limits = limits
        self.hold(limits.amounts, self._until, pace=limits.requests_per_minute)

    def hold(self, amounts: Amounts, until: float, *, pace: int) -> None:
        """Use no more than these amounts of the limits, and begin nothing from the time `until` on.

        Requests are spread out as `pace` of them are over a minute.
        """
        in_flight, requests, tokens = amounts
        limits = self._limits
        shut = (limits.requests_per_minute and not requests) or (limits.tokens_per_minute and not tokens)
        granted, self.granted = self.granted, 0 if shut else in_flight
        self._until = until
        self._pressure.limit_to(max(1, in_flight))
        # 0 would be no limit; with a grant of nothing no permit is given anyway.
        self._requests.most = max(1, requests) if limits.requests_per_minute else 0
        self._requests.pace = pace
        self._tokens.most = max(1, tokens) if limits.tokens_per_minute else 0
        if self.granted != granted:
            self.on_grant()
        self._give()

    def need(self, timeout_seconds: float) -> Need:
        """Return what was wanted since the last call, and what is in use now. No request lasts longer than the timeout."""
        now = self._loop.time()
        longest = self._longest.seconds(now)
        wanted, self._wanted = max(self._wanted, self.demand), 0
        return Need(
            wants=wanted,
            used=(self.in_flight, self._requests.used(now), self._tokens.used(now)),
            ages=({}, self._requests.ages(now, AGE_SECONDS), self._tokens.ages(now, AGE_SECONDS)),
            tail_seconds=timeout_seconds if longest is None else min(timeout_seconds, longest * TAIL_FACTOR),
        )

    async def acquire(self, lane: Lane, tokens: int = 0) -> Permit:
        """Return when a request of about so many tokens may start. Raise Unavailable once the batches' lanes are closed."""
        if lane is not Lane.INTERACTIVE and self._closed.is_set():
            raise _closing()
        waiter = _Waiter(tokens, self._loop.create_future())
        self._lanes[lane].append(waiter)
        self._wanted = max(self._wanted, self.demand)
        self._give()
        if not self.granted:
            self.hungry.set()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled() and not waiter.future.exception():
                self.release(waiter.future.result())  # given, and nobody there to take it
            raise

    def release(self, permit: Permit, *, spent_tokens: int = 0) -> None:
        """Give a permit back; the next in line gets its turn."""
        now = self._loop.time()
        self.in_flight -= 1
        self._rise.end(now)
        self._tokens.end(permit.held_tokens, spent_tokens, now)
        if permit is not self._pressed:  # how long one took that was refused or given up tells nothing of the others
            self._longest.take(now - permit.started)
        self._give()

    def eased(self) -> None:
        """Take in that a request was answered."""
        self._pressure.eased()

    def pressed(self, permit: Permit) -> None:
        """Take in that a request was refused or not answered in time, because there are too many. Call before release."""
        self._pressed = permit
        self._pressure.pressed(in_flight=self.in_flight, started=permit.started, now=self._loop.time())

    def pause(self, seconds: float) -> None:
        """Start no request within the next `seconds`; a longer pause that is under way stays."""
        self._paused_until = max(self._paused_until, self._loop.time() + seconds)

    async def rest(self, seconds: float, lane: Lane) -> None:
        """Wait, outside of any permit; raise Unavailable as soon as the batches' lanes are closed."""
        if lane is Lane.INTERACTIVE:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()
            raise _closing()

    def close(self) -> None:
        """Give no more permits to batches: this replica stops, or the model is gone. Calls are still answered."""
        self._closed.set()
        for lane in (Lane.AGAIN, Lane.BATCH):
            for waiter in self._lanes[lane]:
                if not waiter.future.done():
                    waiter.future.set_exception(_closing())
            self._lanes[lane].clear()

    def _give(self) -> None:
        """Give permits while there are any, and come back when time alone will bring the next."""
        while self.in_flight < self.level and (waiter := self._next()):
            now = self._loop.time()
            if now >= self._until:
                return
            wait = self._wait_seconds(waiter.tokens, now)
            if wait > 0:
                self._come_back(wait)
                return
            self.in_flight += 1
            self._requests.start(now)
            waiter.future.set_result(Permit(now, self._tokens.start(waiter.tokens)))

    def _next(self) -> _Waiter | None:
        """Return who is next in line; those who left are passed by."""
        for lane in self._lanes:
            while lane:
                if not lane[0].future.done():
                    return lane[0]
                lane.popleft()
        return None

    def _wait_seconds(self, tokens: int, now: float) -> float:
        return max(
            self._rise.wait_seconds(self.in_flight, now),
            self._paused_until - now,
            self._requests.wait_seconds(now),
            self._tokens.wait_seconds(tokens, now),
            0.0,
        )

    def _come_back(self, wait: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # A wait without end is one for a request in flight: its release comes back.
        self._timer = (
            self._loop.call_later(max(wait, SHORTEST_WAIT_SECONDS), self._give) if math.isfinite(wait) else None
        )


def _closing() -> Unavailable:
    return Unavailable("this gateway takes no more of this model's batches; another replica, or the next start, does")
