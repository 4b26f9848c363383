"""Holds the requests to a parked model, and lets one of them through as a probe when it is due."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.gateway.limits.admission_queue import Lane, batches_rejected
from libra.gateway.limits.limiter import Limiter
from libra.gateway.parking.park_state import Park, ParkState
from libra.gateway.parking.policy import ParkPolicy
from libra.gateway.parking.shared_park import SharedPark
from libra.gateway.parking.waiting_requests import Request, Waiter, WaitingRequests
from libra.gateway.provider.result import ProviderAnswer, ProviderFault, ProviderResult
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.01
"""The shortest time between two looks at the requests that wait: many come and go together."""

RETRY_SECONDS = 0.5
"""A probe that is due and could not be sent is tried again after this time."""

IDLE_SECONDS = 60.0
"""A model for which no request has waited for this long is no longer parked: the next request finds out anew."""


class ParkObserver(Protocol):
    """Learns when a model is parked, probed and open again."""

    def on_park_changed(self, park: Park | None) -> None:
        """The model is parked for this reason, or it is open."""


class ModelGate:
    """Open, or closed while the model is parked."""

    def __init__(
        self, model: str, policy: ParkPolicy, limiter: Limiter, observer: ParkObserver, shared: SharedPark | None
    ) -> None:
        """Without `shared`, this process decides alone."""
        self.model = model
        self._state = ParkState(policy)
        self._limiter, self._observer, self._shared = limiter, observer, shared
        self._waiting = WaitingRequests(model)
        self._probe: Request | None = None
        self._is_closed = False
        self._gave_up_at = 0.0
        self.version = 0
        """Changes with each result that changes the state: what was read from the store before is then outdated."""
        self._keeper: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        """Wakes the keeper."""
        self._loop = asyncio.get_running_loop()
        self._probed_at = self._wanted_at = self._loop.time()

    @property
    def park(self) -> Park | None:
        """Cause and times of the model's parking; None if it is not parked."""
        return self._state.park

    @property
    def give_up_at(self) -> float:
        """Time at which requests fail that have waited since the model was parked, by the event loop's clock."""
        return self._state.give_up_at()

    @property
    def is_wanted(self) -> bool:
        """Whether requests wait, or did a moment ago: calls come again and again."""
        return self._loop.time() - self._wanted_at < IDLE_SECONDS / 2

    async def wait(self, job: Request) -> None:
        """Return when a request may be sent: the model is open, or the request is the next probe.

        Raises GaveUp with the reason, and Unavailable if the caller should come again later.
        """
        while self._state.park is not None and self._probe is not job:
            self._forbid_closed(job)
            async with self._waiting.enter(job) as waiter:
                self._keep()
                self._expire_at_once(waiter)
                await waiter.admitted

    def record(self, job: Request, result: ProviderResult) -> bool:
        """Take over the result of a request; return whether the request waits at the gate and counts for nothing."""
        is_probe = self._probe is job
        before = self._state.park
        if before is None and not is_probe and isinstance(result, ProviderAnswer):
            self._state.on_result(result, self._loop.time(), is_probe=False)
            return False  # nothing has changed, as after nearly every request
        self._state.on_result(result, self._loop.time(), is_probe=is_probe)
        self._announce(before, is_probe=is_probe)
        if is_probe:
            self.leave(job)
        return self.park is not None and (is_probe or self.blocks(result))

    def leave(self, job: Request) -> None:
        """Let another request be the probe if this one was it and ended without a result."""
        if self._probe is job:
            self._probe = None
            self._changed.set()

    def adopt(self, park: Park | None) -> None:
        """Take over what another replica found out."""
        before = self._state.park
        if park is None and self._probe is None:
            self._state.park = None
        elif park is not None and not park.is_same(before):
            self._state.park = park
        self._on_changed(before)

    def close(self) -> None:
        """Turn away the requests of batches, like the limiter of the same model."""
        self._is_closed = True
        self._changed.set()
        self._waiting.reject_batches()
        self._observer.on_park_changed(None)

    def _forbid_closed(self, job: Request) -> None:
        if self._is_closed and job.lane is not Lane.INTERACTIVE:
            raise batches_rejected()

    def blocks(self, result: ProviderResult) -> bool:
        """Return whether other requests would fail like this one."""
        return isinstance(result, ProviderFault) and self._state.policy.cause_of(result) is not None

    def _announce(self, before: Park | None, *, is_probe: bool) -> None:
        """Tell the other replicas what the result of a request has changed."""
        after = self._state.park
        self.version += after is not before
        if self._shared is not None and after is not before:
            if after is None:
                self._shared.unpark(self.model)
            elif before is None:
                self._shared.park(self.model, after)
            elif is_probe:
                self._shared.postpone(self.model, after)
        self._on_changed(before)

    def _on_changed(self, before: Park | None) -> None:
        after = self._state.park
        if after == before:
            return
        if before is None and after is not None:
            self._wanted_at = self._probed_at = self._loop.time()
            log.warning(
                "a model is parked",
                action=Action.MODEL_PARKED,
                model=self.model,
                cause=after.cause,
                reason=after.reason,
            )
            self._limiter.turn_away()
        elif after is None:
            log.info("a model is no longer parked", action=Action.MODEL_UNPARKED, model=self.model)
            self._waiting.admit_all()
        self._observer.on_park_changed(after)
        self._changed.set()

    def _keep(self) -> None:
        self._changed.set()
        if self._keeper is None or self._keeper.done():
            self._keeper = self._loop.create_task(self._keep_gate(), name=f"gate of {self.model}")

    async def _keep_gate(self) -> None:
        """Send probes and turn requests away until the model is open, or nobody wants it any more."""
        while (park := self._state.park) is not None:
            now = self._loop.time()
            if self._waiting:
                self._wanted_at = now
            elif self._is_closed or now - self._wanted_at >= IDLE_SECONDS:
                self._forget(park)
                return
            await self._act(park, now)
            await asyncio.sleep(TICK_SECONDS)
            self._changed.clear()
            await wait_until_set(self._changed, self._next_step_at() - self._loop.time())

    async def _act(self, park: Park, now: float) -> None:
        """Send the probe if it is due; if none is under way, turn away the requests whose patience has ended."""
        if self._is_due(park, now):
            if self._waiting and self._probe is None and await self._may_probe():
                self._send_probe()
        elif self._probe is None:
            for waiter in self._waiting.pending():
                self._expire(waiter, park, now)

    def _next_step_at(self) -> float:
        """Return when something is to be done, if nothing changes before."""
        park, now = self._state.park, self._loop.time()
        if park is None:
            return now
        probe_at = max(self._due_at(park), now + RETRY_SECONDS)
        return min(self._waiting.next_expiry(self._state), probe_at, now + IDLE_SECONDS / 4)

    def _forget(self, park: Park) -> None:
        """Open a model that nobody wants. An entry for all replicas expires by itself, as nobody touches it."""
        if self._shared is None:
            self._state.park = None
            self._on_changed(park)

    def _is_due(self, park: Park, now: float) -> bool:
        """Return whether a probe is due: its time has come, or a new run asks for the model."""
        return now >= self._due_at(park)

    def _due_at(self, park: Park) -> float:
        asked_at = max(self._probed_at, park.parked_at)
        if self._waiting.newest_since > asked_at:
            return min(park.probe_at, asked_at + self._state.policy.probe_seconds)
        return park.probe_at

    async def _may_probe(self) -> bool:
        """Return whether this replica may send the probe; if another one does, its result is waited for."""
        if self._shared is None:
            return True
        park = self._state.park
        try:
            is_new_run = park is not None and self._loop.time() < park.probe_at
            return await self._shared.claim_probe(self.model, hasten=is_new_run)
        except Unavailable:
            return False

    def _send_probe(self) -> None:
        """Admit the request that waits longest. If it fails it queues up again, behind the others."""
        waiter = next(self._waiting.pending(), None)
        if waiter is not None and self._state.park is not None:
            self._probe, self._probed_at = waiter.request, self._loop.time()
            waiter.admitted.set_result(None)

    def _expire_at_once(self, waiter: Waiter) -> None:
        """Turn a new request away if there is nothing that it could wait for."""
        park, now = self._state.park, self._loop.time()
        if park is not None and self._probe is None and not self._is_due(park, now):
            self._expire(waiter, park, now)

    def _expire(self, waiter: Waiter, park: Park, now: float) -> None:
        """Turn a request away if its patience has ended; log the first of them for each time that a model is parked."""
        if self._waiting.expire(waiter, self._state, now) and self._gave_up_at != park.parked_at:
            self._gave_up_at = park.parked_at
            event = "requests to a parked model fail"
            log.warning(event, action=Action.MODEL_GIVEN_UP, model=self.model, cause=park.cause, reason=park.reason)
