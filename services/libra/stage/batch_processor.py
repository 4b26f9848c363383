"""Decode a delivery, handle its batch, publish the results."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic

from opentelemetry.trace import SpanKind

from libra.core.access import team_scope
from libra.core.errors import Unavailable
from libra.core.sealed import sealing
from libra.stage import dead_letter
from libra.stage.bus import Bus, Delivery, Outgoing, QueueFull
from libra.stage.errors import DeadlineExceeded, Reject, Requeued
from libra.stage.failure_counter import FailureCounter
from libra.stage.poison_guard import reject_poison
from libra.stage.stage import In, Stage
from libra.stage.waits import Wait
from libra.telemetry import spans, tracing

if TYPE_CHECKING:
    from libra.telemetry.metrics import Metrics


class BatchProcessor(Generic[In]):
    """Takes one delivery from its bytes to its published results."""

    def __init__(self, stage: Stage[In], bus: Bus, failures: FailureCounter, metrics: Metrics) -> None:
        self._stage, self._policy = stage, stage.policy
        self._bus, self._failures, self._metrics = bus, failures, metrics

    async def process(self, delivery: Delivery, wait: Wait) -> None:
        """Return once all results are stored. Raises what the handler raises, Requeued, or Stopped."""
        reject_poison(delivery, self._policy)
        batch = self._decode(delivery)
        model, trials = self._stage.trials(batch)
        sealing.enter(sealed=batch.header.sealed)
        team_scope.enter(batch.header.team)
        with tracing.tracer().start_as_current_span(
            spans.STAGE_HANDLE,
            context=tracing.extract(delivery.headers),
            kind=SpanKind.CONSUMER,
            attributes=self._stage.attributes(batch),
            record_exception=not sealing.is_sealed(),  # its message may quote a sample
            set_status_on_exception=not sealing.is_sealed(),
        ):
            for message in await self._handle(batch, delivery, wait):
                await publish(self._bus, message, tracing.inject(), wait)
        self._metrics.stage_trials.labels(stage=self._stage.name, model=model).inc(trials)

    def _decode(self, delivery: Delivery) -> In:
        try:
            return self._stage.decode(delivery.data)
        except Exception as error:
            raise Reject(f"it cannot be decoded: {type(error).__name__}: {error}") from error

    async def _handle(self, batch: In, delivery: Delivery, wait: Wait) -> Sequence[Outgoing]:
        """Call the handler, and again while a dependency is away; requeue the message after the policy's patience."""
        now_seconds = asyncio.get_running_loop().time
        until_seconds = float("inf")
        while True:
            try:
                return await self._handle_once(batch)
            except Unavailable as error:
                until_seconds = min(until_seconds, now_seconds() + self._policy.patience_seconds)
                if now_seconds() >= until_seconds and await self._requeue(delivery):
                    raise Requeued from error
                await wait.pause(error)

    async def _handle_once(self, batch: In) -> Sequence[Outgoing]:
        seconds = self._policy.deadline_seconds
        try:
            with self._metrics.stage_seconds.labels(stage=self._stage.name).time():
                async with asyncio.timeout(seconds) as deadline:
                    return await self._stage.handle(batch)
        except TimeoutError:
            if deadline.expired():
                raise DeadlineExceeded(f"its handler was cancelled after {seconds:g} s") from None
            raise

    async def _requeue(self, delivery: Delivery) -> bool:
        """Publish the message again at the end of its queue, and return whether the queue took it.

        A redelivery would count against the message, and would keep its place in front of the others.
        """
        failures = self._failures.count(dead_letter.original_key(delivery), dead_letter.earlier_failures(delivery))
        message, headers = dead_letter.requeued(delivery, failures)
        try:
            await self._bus.publish(message, headers)
        except (QueueFull, Unavailable):
            return False
        return True


async def publish(bus: Bus, message: Outgoing, headers: dict[str, str], wait: Wait) -> None:
    """Return once the message is stored; wait while the queue is full or away."""
    while True:
        try:
            return await bus.publish(message, headers)
        except (QueueFull, Unavailable) as error:
            await wait.pause(error)
