"""Run one stage of the pipeline: pull, decode, handle, publish, acknowledge.

    run        pulls what there are free slots for, until told to stop; then drains
    settling   brings one delivery to its end
    waiting    a full queue and an outage are waited for, with the message kept alive

Failure has three words. Retry and bugs are counted, and the message is set aside after `Policy.attempts` of them; Reject sets
it aside at once. An outage (`libra.errors.Unavailable`) and a full queue are no failures of the message: they are waited for,
however long they last, and lead to no dead letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from libra.stage.bus import Bus, Delivery
from libra.stage.delivery_handler import DeliveryHandler
from libra.stage.stage import In, Stage
from libra.telemetry.log_actions import Action

if TYPE_CHECKING:
    from libra.telemetry.metrics import Metrics

__all__ = ["Stage", "run"]

log = structlog.get_logger(__name__)


async def run(stage: Stage[In], consumer: str, bus: Bus, stop: asyncio.Event, metrics: Metrics) -> None:
    """Work until told to stop, then let the work in hand finish, and hand back what does not finish in time.

    Returns when nothing is in hand. Cancelled, it hands everything back at once. Never ends because of the bus.
    """
    settler = DeliveryHandler(stage, bus, stop, metrics)
    puller = Puller(bus, consumer, stop, pause_seconds=stage.policy.wait_seconds)
    working: set[asyncio.Task[None]] = set()
    drain_seconds = 0.0
    try:
        while await puller.free(working, stage.policy.slots):
            for delivery in await puller.pull(stage.policy.slots - len(working)):
                task = asyncio.create_task(settler.settle(delivery))
                working.add(task)
                task.add_done_callback(working.discard)
        drain_seconds = stage.policy.drain_seconds
    finally:
        puller.close()
        await drain(working, drain_seconds)


async def drain(working: set[asyncio.Task[None]], seconds: float) -> None:
    """Let the tasks finish within so long, and cancel the others; return when all have ended."""
    if working:
        _, late = await asyncio.wait(set(working), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


class Puller:
    """Asks the bus for work until told to stop; a bus that fails is asked again after a pause."""

    def __init__(self, bus: Bus, consumer: str, stop: asyncio.Event, *, pause_seconds: float) -> None:
        self._bus, self._consumer, self._pause_seconds = bus, consumer, pause_seconds
        self._stopping = asyncio.create_task(stop.wait())
        self._failing = False

    def close(self) -> None:
        """Let go of what waits for the signal to stop."""
        self._stopping.cancel()

    async def free(self, working: set[asyncio.Task[None]], slots: int) -> bool:
        """Wait until fewer than `slots` are working; tell whether to go on."""
        while len(working) >= slots and not self._stopping.done():
            await asyncio.wait({*working, self._stopping}, return_when=asyncio.FIRST_COMPLETED)
        return not self._stopping.done()

    async def pull(self, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` deliveries; none if there are none, the bus fails or the signal to stop comes."""
        pulling = asyncio.ensure_future(self._bus.pull(self._consumer, limit))
        try:
            await asyncio.wait({pulling, self._stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pulling.cancel()  # no more than a word if it is done
        await asyncio.wait({pulling})  # called off, it still hands back what was on its way
        if pulling.cancelled():
            return []
        if error := pulling.exception():
            await self._pause(error)
            return []
        self._failing = False
        return pulling.result()

    async def _pause(self, error: BaseException) -> None:
        if not self._failing:
            self._failing = True
            log.warning("no work can be pulled", action=Action.PULL_FAILED, consumer=self._consumer, reason=str(error))
        await asyncio.wait({self._stopping}, timeout=self._pause_seconds)
