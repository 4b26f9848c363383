"""Run one stage: pull batches, handle them concurrently, drain when told to stop.

    runner             pulls as many deliveries as there are free slots, until told to stop; then drains
    delivery_handler   one delivery: process, retry or dead-letter, acknowledge
    batch_processor    decode, handle, publish
    poison_guard       rejects a message that crashes its consumers
    failure_handler    redeliver or dead-letter
    settlement         acknowledge
    waits              pauses for an outage or a full queue

Retry and bugs are counted, and the message is dead-lettered after `Policy.attempts` of them; Reject dead-letters it at
once. An outage (`Unavailable`) and a full queue are not failures of the message: the stage waits for their
end, however long that takes, and never dead-letters because of them.
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
    """Handle batches until told to stop; then let running handlers finish, and hand back what is late.

    Returns when no handler is running. When cancelled it hands everything back at once. A failing bus never ends it.
    """
    # Set once pulling has ended, so that a message which a waiting handler hands back is not pulled here again.
    draining = asyncio.Event()
    handler = DeliveryHandler(stage, bus, draining, metrics)
    puller = Puller(bus, consumer, stop, pause_seconds=stage.policy.wait_seconds)
    running: set[asyncio.Task[None]] = set()
    slots = metrics.stage_slots.labels(stage=stage.name)
    slots.inc(stage.policy.slots)  # the gateway runs its stage once for each model
    drain_seconds = 0.0
    try:
        while await puller.wait_for_slot(running, stage.policy.slots):
            for delivery in await puller.pull(stage.policy.slots - len(running)):
                task = asyncio.create_task(handler.run(delivery))
                running.add(task)
                task.add_done_callback(running.discard)
        drain_seconds = stage.policy.drain_seconds
    finally:
        puller.close()
        slots.dec(stage.policy.slots)
        draining.set()
        await drain(running, drain_seconds)


async def drain(running: set[asyncio.Task[None]], seconds: float) -> None:
    """Give the tasks the time to finish, cancel the others, and return when all have ended."""
    if running:
        _, late = await asyncio.wait(set(running), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


class Puller:
    """Pulls deliveries until told to stop; after a failure of the bus it pauses and pulls again."""

    def __init__(self, bus: Bus, consumer: str, stop: asyncio.Event, *, pause_seconds: float) -> None:
        self._bus, self._consumer, self._pause_seconds = bus, consumer, pause_seconds
        self._stopping = asyncio.create_task(stop.wait())
        self._failing = False

    def close(self) -> None:
        """End the task that waits for the signal to stop."""
        self._stopping.cancel()

    async def wait_for_slot(self, running: set[asyncio.Task[None]], slots: int) -> bool:
        """Wait until fewer than `slots` tasks are running; return False once told to stop."""
        while len(running) >= slots and not self._stopping.done():
            await asyncio.wait({*running, self._stopping}, return_when=asyncio.FIRST_COMPLETED)
        return not self._stopping.done()

    async def pull(self, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` deliveries; none if the queue is empty, the bus fails, or the signal to stop comes."""
        pulling = asyncio.ensure_future(self._bus.pull(self._consumer, limit))
        try:
            await asyncio.wait({pulling, self._stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pulling.cancel()  # has no effect once it is done
        await asyncio.wait({pulling})  # a cancelled pull still hands back the messages that were on their way
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
            log.warning("pulling work failed", action=Action.PULL_FAILED, consumer=self._consumer, reason=str(error))
        await asyncio.wait({self._stopping}, timeout=self._pause_seconds)
