"""Bring one delivery to its end: done, given out again, or set aside."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

import structlog
from opentelemetry.trace import SpanKind

from libra.errors import Unavailable
from libra.stage import dead_letter
from libra.stage.bus import Bus, Delivery, Outgoing, QueueFull
from libra.stage.errors import Reject, Retry
from libra.stage.failure_counter import FailureCounter
from libra.stage.stage import In, Stage
from libra.stage.waits import Hold, Stopped, keep_alive
from libra.telemetry import spans, tracing
from libra.telemetry.log_actions import Action

if TYPE_CHECKING:
    from libra.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

SETTLE_SECONDS = 10.0
"""Telling the queue how a delivery ended takes no longer."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a delivery ends: what the queue is told, and what the metrics say."""

    outcome: str
    """One of done, retried, rejected, failed."""

    again_after_seconds: float | None = None
    """Give the message out again after this long; None ends it."""


DONE = Ending("done")
SET_ASIDE = Ending("rejected")
RENEWED = Ending("retried")
HANDED_BACK = Ending("retried", again_after_seconds=0.0)


class Overdue(Exception):
    """A handler did not end within `Policy.deadline_seconds`."""


class _Renewed(Exception):
    """The message stands at the end of its queue again, as a new one."""


class DeliveryHandler(Generic[In]):
    """Settles the deliveries of one stage, each in a call of its own, side by side."""

    def __init__(self, stage: Stage[In], bus: Bus, stop: asyncio.Event, metrics: Metrics) -> None:
        self._stage, self._policy = stage, stage.policy
        self._bus, self._stop, self._metrics = bus, stop, metrics
        self._failures = FailureCounter()

    async def settle(self, delivery: Delivery) -> None:
        """Bring one delivery to its end; cancelled, hand it back. Never raises anything else."""
        stage = self._stage.name
        if delivery.attempt > 1:
            self._metrics.stage_redeliveries.labels(stage=stage).inc()
        with self._metrics.stage_in_hand.labels(stage=stage).track_inprogress():
            try:
                async with keep_alive(delivery, self._bus.ack_wait_seconds / 3):
                    ending = await self._bring(delivery)
            except asyncio.CancelledError:
                await self._tell(delivery, HANDED_BACK)
                raise
            await self._tell(delivery, ending)
        self._metrics.stage_batches.labels(stage=stage, outcome=ending.outcome).inc()

    async def _bring(self, delivery: Delivery) -> Ending:
        """Do the work; return how it ended."""
        hold = Hold(self._stage.name, delivery.key, self._stop, self._policy.wait_seconds)
        try:
            return await self._end(delivery, hold)
        except Stopped:
            return HANDED_BACK
        except Exception:
            # The dead letter itself could not be written. It is tried again, for there is nowhere else to put it.
            log.exception("a batch could not be set aside", action=Action.BATCH_FAILED, stage=hold.stage, key=hold.key)
            return Ending("failed", self._policy.delays_seconds[-1])

    async def _end(self, delivery: Delivery, hold: Hold) -> Ending:
        try:
            await self._work(delivery, hold)
        except Reject as reject:
            return await self._set_aside(delivery, hold, str(reject))
        except Retry as retry:
            return await self._failed(delivery, hold, str(retry), Ending("retried", retry.after_seconds))
        except _Renewed:
            return RENEWED
        except Stopped:
            raise
        except Exception as bug:
            log.exception("a batch failed", action=Action.BATCH_FAILED, stage=hold.stage, key=delivery.key)
            return await self._failed(delivery, hold, f"{type(bug).__name__}: {bug}", Ending("failed"))
        self._failures.forget(dead_letter.first_key(delivery))
        return DONE

    async def _work(self, delivery: Delivery, hold: Hold) -> None:
        """Decode, handle, publish."""
        # A message that ends its process is never seen to fail: only the queue's count tells.
        if delivery.attempt > max(self._policy.deliveries, self._policy.attempts):
            raise Reject(
                f"it was given out {delivery.attempt} times and never done: either its handling ends the process, "
                "or it fails on one replica after the other; the logs tell which"
            )
        batch = self._decoded(delivery)
        model, trials = self._stage.trials(batch)
        with tracing.tracer().start_as_current_span(
            spans.STAGE_HANDLE,
            context=tracing.extract(delivery.headers),
            kind=SpanKind.CONSUMER,
            attributes=self._stage.attributes(batch),
        ):
            for message in await self._handled(batch, delivery, hold):
                await self._publish(message, tracing.inject(), hold)
        self._metrics.stage_trials.labels(stage=self._stage.name, model=model).inc(trials)

    def _decoded(self, delivery: Delivery) -> In:
        try:
            return self._stage.decode(delivery.data)
        except Exception as error:
            raise Reject(f"it cannot be decoded: {type(error).__name__}: {error}") from error

    async def _handled(self, batch: In, delivery: Delivery, hold: Hold) -> Sequence[Outgoing]:
        """Return what the handler makes of the batch, however long a part it needs is away."""
        now_seconds = asyncio.get_running_loop().time
        until_seconds = float("inf")
        while True:
            try:
                return await self._handled_once(batch)
            except Unavailable as error:
                until_seconds = min(until_seconds, now_seconds() + self._policy.patience_seconds)
                if now_seconds() >= until_seconds and await self._renew(delivery):
                    raise _Renewed from error
                await hold.on(error)

    async def _handled_once(self, batch: In) -> Sequence[Outgoing]:
        seconds = self._policy.deadline_seconds
        try:
            with self._metrics.stage_seconds.labels(stage=self._stage.name).time():
                async with asyncio.timeout(seconds) as deadline:
                    return await self._stage.handle(batch)
        except TimeoutError:
            if deadline.expired():
                raise Overdue(f"its handling took longer than {seconds:g} s, and was ended") from None
            raise

    async def _publish(self, message: Outgoing, headers: dict[str, str], hold: Hold) -> None:
        """Return once the message is stored; a queue that is full or away is waited for."""
        while True:
            try:
                return await self._bus.publish(message, headers)
            except (QueueFull, Unavailable) as error:
                await hold.on(error)

    async def _failed(self, delivery: Delivery, hold: Hold, reason: str, ending: Ending) -> Ending:
        """Count a failure; return that the message is given out again, or set it aside after the last."""
        count = self._failures.add(dead_letter.first_key(delivery), dead_letter.failures_carried(delivery))
        if count >= self._policy.attempts:
            return await self._set_aside(delivery, hold, f"{reason} (given up after {count} attempts)")
        after_seconds = ending.again_after_seconds
        if after_seconds is None:
            after_seconds = self._policy.delay_seconds(count)
        log.info(
            "a batch is tried again",
            action=Action.BATCH_RETRIED,
            stage=hold.stage,
            key=delivery.key,
            reason=reason,
            failures=count,
            after_seconds=after_seconds,
        )
        return Ending(ending.outcome, after_seconds)

    async def _set_aside(self, delivery: Delivery, hold: Hold, reason: str) -> Ending:
        # Published before it is ended: a crash between the two repeats the publish, and its key makes that harmless.
        stage, key = self._stage.name, dead_letter.first_key(delivery)
        failures = self._failures.of(key, dead_letter.failures_carried(delivery))
        message, headers = dead_letter.dead_letter(stage, delivery, reason, failures)
        await self._publish(message, {**tracing.inject(tracing.extract(delivery.headers)), **headers}, hold)
        log.error("a batch was set aside", action=Action.BATCH_SET_ASIDE, stage=stage, key=key, reason=reason)
        self._metrics.dead_letters.labels(stage=stage).inc()
        self._failures.forget(key)
        return SET_ASIDE

    async def _renew(self, delivery: Delivery) -> bool:
        """Put the message at the end of its queue, as a new one; tell whether there was room.

        To be given out again would count against it, and whoever waits behind it would go on waiting.
        """
        failures = self._failures.of(dead_letter.first_key(delivery), dead_letter.failures_carried(delivery))
        message, headers = dead_letter.renewal(delivery, failures)
        try:
            await self._bus.publish(message, headers)
        except (QueueFull, Unavailable):
            return False
        return True

    async def _tell(self, delivery: Delivery, ending: Ending) -> None:
        """Tell the queue. If that fails the message is given out again in time, which costs time and nothing else."""
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                if ending.again_after_seconds is not None:
                    await delivery.nak(ending.again_after_seconds)
                elif ending is SET_ASIDE:
                    await delivery.term()
                else:
                    await delivery.ack()
        except Exception as error:  # noqa: BLE001 - whatever it was, there is nothing else to do
            reason = str(error) or type(error).__name__
            log.warning(
                "a delivery was left unsettled",
                action=Action.BATCH_UNSETTLED,
                stage=self._stage.name,
                key=delivery.key,
                reason=reason,
            )
