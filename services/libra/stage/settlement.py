"""Settle a delivery: acknowledge it, have it redelivered, or remove it from the queue."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from libra.stage.bus import Delivery
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

SETTLE_SECONDS = 10.0
"""Time limit for telling the queue."""


OUTCOMES = ("done", "retried", "rejected", "failed")


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of a delivery: the notification of the queue, and the outcome in metrics."""

    outcome: str
    """One of `OUTCOMES`."""

    redeliver_after_seconds: float | None = None
    """Delay until the message is redelivered; None if it is not."""


DONE = Settlement("done")
DEAD_LETTERED = Settlement("rejected")
REQUEUED = Settlement("retried")
HANDED_BACK = Settlement("retried", redeliver_after_seconds=0.0)


async def acknowledge(delivery: Delivery, settlement: Settlement, stage: str) -> None:
    """Tell the queue how a delivery ended. If that fails, the queue redelivers the message, which only costs time."""
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            if settlement.redeliver_after_seconds is not None:
                await delivery.nak(settlement.redeliver_after_seconds)
            elif settlement is DEAD_LETTERED:
                await delivery.term()
            else:
                await delivery.ack()
    except Exception as error:  # noqa: BLE001 - there is nothing else to do about any of them
        log.warning(
            "a delivery was not acknowledged; the queue will redeliver it",
            action=Action.BATCH_UNSETTLED,
            stage=stage,
            key=delivery.key,
            reason=str(error) or type(error).__name__,
        )
