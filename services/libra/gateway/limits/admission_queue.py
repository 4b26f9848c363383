"""The order in which requests to one model are admitted."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from libra.core.errors import Unavailable
from libra.gateway.limits.request_budget import Permit


class TurnedAway(Exception):
    """The request must ask again whether it may be sent: its model was parked while it waited."""


class Lane(IntEnum):
    """The priority of a request; lower values are admitted first."""

    INTERACTIVE = 0
    """A caller waits for the answer."""

    RETRY = 1
    """A batch repeats a request. The other answers of the batch wait for it."""

    BATCH = 2


@dataclass(frozen=True, slots=True)
class Waiter:
    """A request that waits for its permit."""

    tokens: int
    permit: asyncio.Future[Permit]


class AdmissionQueue:
    """Waiting requests, in order of lane, then of arrival."""

    def __init__(self) -> None:
        self._lanes: tuple[deque[Waiter], ...] = tuple(deque() for _ in Lane)
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        """The number of waiting requests. One that has just been admitted or cancelled may still be counted."""
        return sum(map(len, self._lanes))

    def add(self, lane: Lane, tokens: int) -> Waiter:
        """Add a request of about `tokens` tokens."""
        waiter = Waiter(tokens, self._loop.create_future())
        self._lanes[lane].append(waiter)
        return waiter

    def first(self) -> Waiter | None:
        """Return the next request to admit, after removing those that were admitted or cancelled."""
        for lane in self._lanes:
            while lane:
                if not lane[0].permit.done():
                    return lane[0]
                lane.popleft()
        return None

    def waiting(self, lane: Lane) -> int:
        """Return how many requests wait in a lane."""
        return sum(not waiter.permit.done() for waiter in self._lanes[lane])

    def reject_batches(self) -> None:
        """End the wait of every request of a batch with Unavailable."""
        for lane in (Lane.RETRY, Lane.BATCH):
            for waiter in self._lanes[lane]:
                if not waiter.permit.done():
                    waiter.permit.set_exception(batches_rejected())
            self._lanes[lane].clear()

    def turn_away(self) -> None:
        """End the wait of every request with TurnedAway."""
        for lane in self._lanes:
            for waiter in lane:
                if not waiter.permit.done():
                    waiter.permit.set_exception(TurnedAway())
            lane.clear()


def batches_rejected() -> Unavailable:
    """Return the error for requests of batches once a replica accepts no more of them."""
    return Unavailable(
        "this gateway accepts no more batches for this model; another replica, or this one after a restart, does"
    )
