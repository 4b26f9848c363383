"""Permits to ask one model: in flight, per minute, and not while it asks to be left alone."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from libra.errors import Unavailable
from libra.gateway.pressure import Pressure
from libra.gateway.window import RequestWindow, TokenWindow
from libra.v1.model_pb2 import ModelLimits

DEFAULT_IN_FLIGHT = 8
SHORTEST_WAIT_SECONDS = 0.001
"""A timer may fire a little early; it is not set for less."""


class Lane(IntEnum):
    """Who goes first, where several wait."""

    INTERACTIVE = 0
    """Somebody waits for the answer to a call."""

    AGAIN = 1
    """A batch's request that is made again: its neighbours wait for it."""

    BATCH = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What this replica may ask of one model. 0 is no limit, but for requests in flight."""

    in_flight: int = DEFAULT_IN_FLIGHT
    requests_per_minute: int = 0
    tokens_per_minute: int = 0

    @classmethod
    def of(cls, limits: ModelLimits) -> Limits:
        """Return the limits of a model's entry."""
        in_flight = limits.max_in_flight or DEFAULT_IN_FLIGHT
        return cls(in_flight, limits.requests_per_minute, limits.tokens_per_minute)


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
    """Gives permits in order of lane, then of arrival. Its clock is the loop's."""

    def __init__(self, limits: Limits) -> None:
        self.in_flight = 0
        self._pressure = Pressure(limits.in_flight)
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
        return self._pressure.level

    def waiting(self, lane: Lane) -> int:
        """Return how many wait in a lane."""
        return sum(not waiter.future.done() for waiter in self._lanes[lane])

    def change(self, limits: Limits) -> None:
        """Put other limits in force, for every permit from here on; those given out stay."""
        self._pressure.limit_to(limits.in_flight)
        self._requests.most = limits.requests_per_minute
        self._tokens.most = limits.tokens_per_minute
        self._give()

    async def acquire(self, lane: Lane, tokens: int = 0) -> Permit:
        """Return when a request of about so many tokens may start. Raise Unavailable once the batches' lanes are closed."""
        if lane is not Lane.INTERACTIVE and self._closed.is_set():
            raise _closing()
        waiter = _Waiter(tokens, self._loop.create_future())
        self._lanes[lane].append(waiter)
        self._give()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled() and not waiter.future.exception():
                self.release(waiter.future.result())  # given, and nobody there to take it
            raise

    def release(self, permit: Permit, *, spent_tokens: int = 0) -> None:
        """Give a permit back; the next in line gets its turn."""
        self.in_flight -= 1
        self._tokens.end(permit.held_tokens, spent_tokens, self._loop.time())
        self._give()

    def eased(self) -> None:
        """Take in that a request was answered."""
        self._pressure.eased()

    def pressed(self, permit: Permit) -> None:
        """Take in that a request was refused or not answered in time, because there are too many. Call before release."""
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
        while self.in_flight < self._pressure.level and (waiter := self._next()):
            now = self._loop.time()
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
            self._paused_until - now, self._requests.wait_seconds(now), self._tokens.wait_seconds(tokens, now), 0.0
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
