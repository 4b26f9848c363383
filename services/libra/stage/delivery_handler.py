"""Take one delivery from its arrival to its acknowledgement: process it, retry or dead-letter it, acknowledge it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic

import structlog

from libra.stage import dead_letter
from libra.stage.batch_processor import BatchProcessor
from libra.stage.bus import Bus, Delivery
from libra.stage.errors import Requeued, Stopped
from libra.stage.failure_counter import FailureCounter
from libra.stage.failure_handler import FailureHandler
from libra.stage.settlement import DONE, HANDED_BACK, OUTCOMES, REQUEUED, Settlement, acknowledge
from libra.stage.stage import In, Stage
from libra.stage.waits import Wait, keep_alive
from libra.telemetry.log_actions import Action

if TYPE_CHECKING:
    from libra.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)


class DeliveryHandler(Generic[In]):
    """Handles the deliveries of one stage, each in a call of its own, concurrently."""

    def __init__(self, stage: Stage[In], bus: Bus, draining: asyncio.Event, metrics: Metrics) -> None:
        self._stage, self._policy = stage.name, stage.policy
        self._bus, self._draining, self._metrics = bus, draining, metrics
        self._failures = FailureCounter()
        self._processor = BatchProcessor(stage, bus, self._failures, metrics)
        self._failure_handler = FailureHandler(stage.name, stage.policy, bus, self._failures, metrics)
        _show_counters(stage.name, metrics)

    async def run(self, delivery: Delivery) -> None:
        """Process and settle one delivery. When cancelled it hands the message back. It raises nothing else."""
        if delivery.attempt > 1:
            self._metrics.stage_redeliveries.labels(stage=self._stage).inc()
        with self._metrics.stage_in_hand.labels(stage=self._stage).track_inprogress():
            try:
                async with keep_alive(delivery, self._bus.ack_wait_seconds / 3):
                    settlement = await self._settle(delivery)
            except asyncio.CancelledError:
                await acknowledge(delivery, HANDED_BACK, self._stage)
                raise
            await acknowledge(delivery, settlement, self._stage)
        self._metrics.stage_batches.labels(stage=self._stage, outcome=settlement.outcome).inc()

    async def _settle(self, delivery: Delivery) -> Settlement:
        """Process the delivery and return how it ends."""
        wait = Wait(self._stage, delivery.key, self._draining, self._policy.wait_seconds)
        try:
            return await self._process(delivery, wait)
        except Stopped:
            return HANDED_BACK
        except Exception:
            # The dead letter could not be published. There is no other place for it, so the message is redelivered.
            log.exception(
                "a batch could not be dead-lettered", action=Action.BATCH_FAILED, stage=self._stage, key=delivery.key
            )
            return Settlement("failed", self._policy.delays_seconds[-1])

    async def _process(self, delivery: Delivery, wait: Wait) -> Settlement:
        try:
            await self._processor.process(delivery, wait)
        except Requeued:
            return REQUEUED
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - the failure handler tells a bug from the rest, and logs it
            return await self._failure_handler.settle(error, delivery, wait)
        self._failures.forget(dead_letter.original_key(delivery))
        return DONE


def _show_counters(stage: str, metrics: Metrics) -> None:
    """Show the counters of the stage at 0: an increase from nothing is not a rate."""
    metrics.stage_in_hand.labels(stage=stage)
    metrics.stage_seconds.labels(stage=stage)
    metrics.stage_redeliveries.labels(stage=stage)
    metrics.dead_letters.labels(stage=stage)
    for outcome in OUTCOMES:
        metrics.stage_batches.labels(stage=stage, outcome=outcome)
