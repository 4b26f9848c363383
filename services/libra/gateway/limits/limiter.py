"""The limiter of one model: an admission queue in front of a request budget."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import Protocol

from libra.gateway.limits.admission_queue import AdmissionQueue, Lane, batches_rejected
from libra.gateway.limits.request_budget import Permit, Quota, QuotaUsage, RequestBudget, RequestLimits

MIN_TIMER_SECONDS = 0.001
"""A timer may fire a little early, so none is set for less."""


class QuotaObserver(Protocol):
    """Learns from a limiter how its quota changes, and when it lacks quota."""

    def on_allocation(self, in_flight: int) -> None:
        """The quota now allows this many requests in flight."""

    def on_starved(self) -> None:
        """A request waits, and no request in flight is allowed."""


class Limiter:
    """Grants permits in order of lane, then of arrival. Its clock is the event loop's."""

    def __init__(self, limits: RequestLimits, observer: QuotaObserver | None = None) -> None:
        self._budget = RequestBudget(limits)
        self._queue = AdmissionQueue()
        self._observer = observer
        self._peak_demand = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def in_flight(self) -> int:
        """Requests in flight now."""
        return self._budget.in_flight

    @property
    def allocated(self) -> int:
        """Requests in flight that the quota of this replica allows."""
        return self._budget.allocated

    @property
    def concurrency(self) -> int:
        """Requests that would be in flight now if enough of them waited."""
        return self._budget.concurrency

    @property
    def counts_tokens(self) -> bool:
        """Whether `acquire` needs the tokens of a request."""
        return self._budget.counts_tokens

    @property
    def demand(self) -> int:
        """Requests that would be in flight without limits. One that was cancelled a moment ago may be included."""
        return self._budget.in_flight + len(self._queue)

    @property
    def total_waiting(self) -> int:
        """Requests that wait for a permit, in all lanes."""
        return len(self._queue)

    def waiting(self, lane: Lane) -> int:
        """Return how many requests wait in a lane."""
        return self._queue.waiting(lane)

    async def acquire(self, lane: Lane, tokens: int = 0) -> Permit:
        """Wait until a request of about `tokens` tokens may start.

        Raises Unavailable to batches after `close`, and TurnedAway if the model is parked meanwhile.
        """
        if lane is not Lane.INTERACTIVE and self._closed.is_set():
            raise batches_rejected()
        if (permit := self._start_at_once(tokens)) is not None:
            return permit
        waiter = self._queue.add(lane, tokens)
        self._peak_demand = max(self._peak_demand, self.demand)
        self._admit()
        if not self._budget.allocated and self._observer:
            self._observer.on_starved()
        try:
            return await waiter.permit
        except asyncio.CancelledError:
            if waiter.permit.done() and not waiter.permit.cancelled() and not waiter.permit.exception():
                self.release(waiter.permit.result())  # it was granted, and its owner is gone
            raise

    def _start_at_once(self, tokens: int) -> Permit | None:
        """Start a request without a place in the queue if none is waiting; return None if it must wait.

        Nearly all start so while the provider is quick, and a place in the queue costs more than the start.
        """
        budget = self._budget
        if budget.in_flight >= budget.concurrency or self._queue.first() is not None:
            return None
        now = self._loop.time()
        if budget.wait_seconds(tokens, now) > 0:
            return None
        permit = budget.start(tokens, now)
        self._peak_demand = max(self._peak_demand, budget.in_flight)
        return permit

    def release(self, permit: Permit, *, spent_tokens: int = 0) -> None:
        """Return a permit, and admit the next requests."""
        self._budget.end(permit, spent_tokens, self._loop.time())
        self._admit()

    def on_success(self) -> None:
        """Raise the concurrency after an answer."""
        self._budget.on_success()

    def on_throttle(self, permit: Permit) -> None:
        """Reduce the concurrency after a refusal for overload or a timeout. Call it before `release`."""
        self._budget.on_throttle(permit, self._loop.time())

    def pause(self, seconds: float) -> None:
        """Start no request within the next `seconds`. A longer pause stays in force."""
        self._budget.pause_until(self._loop.time() + seconds)

    def set_quota(self, quota: Quota, expires_at: float, *, target_requests: int) -> None:
        """Use no more than this part of the limits, and start nothing from `expires_at` on.

        Starts are spread evenly as for `target_requests` per minute. Permits that were granted stay valid.
        """
        before = self._budget.allocated
        self._budget.set_quota(quota, expires_at, target_requests=target_requests)
        if self._budget.allocated != before and self._observer:
            self._observer.on_allocation(self._budget.allocated)
        self._admit()

    def take_usage(self, timeout_seconds: float) -> QuotaUsage:
        """Return the peak demand since the last call, and what is in use now. No request outlasts `timeout_seconds`."""
        demand, self._peak_demand = max(self._peak_demand, self.demand), 0
        return self._budget.usage(demand, timeout_seconds, self._loop.time())

    async def sleep(self, seconds: float, lane: Lane) -> None:
        """Wait without a permit. Raise Unavailable to batches as soon as the limiter is closed."""
        if lane is Lane.INTERACTIVE:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()
            raise batches_rejected()

    def close(self) -> None:
        """Grant no more permits to batches: the replica stops, or the model was deleted. Calls are still answered."""
        self._closed.set()
        self._queue.reject_batches()

    def turn_away(self) -> None:
        """Raise TurnedAway in every request that waits for a permit: the model was parked."""
        self._queue.turn_away()

    def _admit(self) -> None:
        """Grant permits while the budget allows it, and set a timer if only time is missing."""
        budget = self._budget
        while budget.in_flight < budget.concurrency and (waiter := self._queue.first()):
            now = self._loop.time()
            wait_seconds = budget.wait_seconds(waiter.tokens, now)
            if wait_seconds > 0:
                self._admit_after(wait_seconds)
                return
            waiter.permit.set_result(budget.start(waiter.tokens, now))

    def _admit_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # An infinite wait ends with a release or a new quota, and both admit.
        self._timer = (
            self._loop.call_later(max(seconds, MIN_TIMER_SECONDS), self._admit) if math.isfinite(seconds) else None
        )
