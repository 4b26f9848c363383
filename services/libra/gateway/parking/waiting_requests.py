"""The requests that wait at the gate of a parked model, in the order of their arrival."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Protocol

from libra.core.errors import Unavailable
from libra.gateway.limits.admission_queue import Lane, batches_rejected
from libra.gateway.parking.park_state import Park, ParkState


class GaveUp(Exception):
    """The model was parked for as long as the request may wait; the message is the reason."""


class Request(Protocol):
    """A request, as the gate sees it."""

    lane: Lane
    since: float
    """Start of its run, by the event loop's clock: its patience counts from then at the earliest."""

    max_park_seconds: float
    """Maximum wait at the gate. After it, the caller has to repeat the request."""


@dataclass(slots=True, eq=False)
class Waiter:
    """A request at the gate."""

    request: Request
    until: float
    """End of the wait, by the event loop's clock. After it, the caller has to repeat the request."""

    admitted: asyncio.Future[None]


class WaitingRequests:
    """Admits requests, or turns them away."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._waiters: dict[Waiter, None] = {}
        self.newest_since = -math.inf
        """Start of the newest run whose requests have waited here."""

    def __len__(self) -> int:
        return len(self._waiters)

    @contextlib.asynccontextmanager
    async def enter(self, request: Request) -> AsyncIterator[Waiter]:
        """Count a request as waiting inside the `async with` block."""
        loop = asyncio.get_running_loop()
        waiter = Waiter(request, loop.time() + request.max_park_seconds, loop.create_future())
        self._waiters[waiter] = None
        self.newest_since = max(self.newest_since, request.since)
        try:
            yield waiter
        finally:
            self._waiters.pop(waiter)

    def pending(self) -> Iterator[Waiter]:
        """Yield the requests that are neither admitted nor turned away."""
        return (waiter for waiter in list(self._waiters) if not waiter.admitted.done())

    def admit_all(self) -> None:
        """Admit every request."""
        for waiter in self.pending():
            waiter.admitted.set_result(None)

    def reject_batches(self) -> None:
        """Turn away the requests of batches."""
        for waiter in self.pending():
            if waiter.request.lane is not Lane.INTERACTIVE:
                waiter.admitted.set_exception(batches_rejected())

    def expire(self, waiter: Waiter, state: ParkState, now: float) -> bool:
        """Turn a request away if its patience has ended; return whether it fails for good."""
        park = state.park
        if park is None or waiter.admitted.done():
            return False
        if now >= state.give_up_at(waiter.request.since):
            waiter.admitted.set_exception(GaveUp(_gave_up_reason(park)))
            return True
        if now >= waiter.until:
            waiter.admitted.set_exception(Unavailable(f"the model {self._model} is parked: {park.reason}"))
        return False

    def next_expiry(self, state: ParkState) -> float:
        """Return when the patience of a request ends first; infinity if none waits."""
        ends = [state.give_up_at(since) for since in {waiter.request.since for waiter in self._waiters}]
        return min([*ends, *(waiter.until for waiter in self._waiters)], default=math.inf)


def _gave_up_reason(park: Park) -> str:
    return f"given up with the whole model after {park.probes + 1} requests without an answer: {park.reason}"
