"""Decide what happens to a delivery that failed: redeliver it, or dead-letter it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from libra.core.sealed import sealing
from libra.stage import dead_letter
from libra.stage.batch_processor import publish
from libra.stage.bus import Bus, Delivery
from libra.stage.errors import Reject, Retry
from libra.stage.failure_counter import FailureCounter
from libra.stage.policy import Policy
from libra.stage.settlement import DEAD_LETTERED, Settlement
from libra.stage.waits import Wait
from libra.telemetry import tracing
from libra.telemetry.log_actions import Action

if TYPE_CHECKING:
    from libra.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)


class FailureHandler:
    """Redelivers after Retry and bugs, up to `Policy.attempts` failures; dead-letters after that, and after Reject."""

    def __init__(self, stage: str, policy: Policy, bus: Bus, failures: FailureCounter, metrics: Metrics) -> None:
        self._stage, self._policy, self._bus = stage, policy, bus
        self._failures, self._metrics = failures, metrics

    async def settle(self, error: Exception, delivery: Delivery, wait: Wait) -> Settlement:
        """Return how the delivery ends after the error. A dead letter is stored before this returns."""
        if isinstance(error, Reject):
            return await self._dead_letter(delivery, wait, sealing.withhold(str(error)))
        if isinstance(error, Retry):
            return await self._redeliver(
                delivery, wait, sealing.withhold(str(error)), Settlement("retried", error.after_seconds)
            )
        log.error(
            "a batch failed on a bug",
            action=Action.BATCH_FAILED,
            stage=self._stage,
            key=delivery.key,
            exc_info=error,
        )
        return await self._redeliver(delivery, wait, sealing.describe_error(error), Settlement("failed"))

    async def _redeliver(self, delivery: Delivery, wait: Wait, reason: str, settlement: Settlement) -> Settlement:
        """Count the failure; redeliver the message, or dead-letter it after the last attempt."""
        count = self._failures.increment(dead_letter.original_key(delivery), dead_letter.earlier_failures(delivery))
        if count >= self._policy.attempts:
            return await self._dead_letter(delivery, wait, f"{reason} (given up after {count} attempts)")
        after_seconds = settlement.redeliver_after_seconds
        if after_seconds is None:
            after_seconds = self._policy.delay_seconds(count)
        log.info(
            "a batch is retried",
            action=Action.BATCH_RETRIED,
            stage=self._stage,
            key=delivery.key,
            reason=reason,
            failures=count,
            after_seconds=after_seconds,
        )
        return Settlement(settlement.outcome, after_seconds)

    async def _dead_letter(self, delivery: Delivery, wait: Wait, reason: str) -> Settlement:
        # Published before the message is removed: a crash in between publishes it again, and its key makes that
        # harmless.
        key = dead_letter.original_key(delivery)
        failures = self._failures.count(key, dead_letter.earlier_failures(delivery))
        message, headers = dead_letter.dead_letter(self._stage, delivery, reason, failures)
        trace = tracing.inject(tracing.extract(delivery.headers))
        await publish(self._bus, message, {**trace, **headers}, wait)
        log.error("a batch was dead-lettered", action=Action.BATCH_SET_ASIDE, stage=self._stage, key=key, reason=reason)
        self._metrics.dead_letters.labels(stage=self._stage).inc()
        self._failures.forget(key)
        return DEAD_LETTERED
