"""Deliver events to webhooks, and repeat what fails for a day."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

import structlog

from libra.core.errors import Unavailable
from libra.core.http.poster import PostFailed, PostResponse
from libra.core.timeouts import wait_until_set
from libra.dispatch.webhooks.signature import WebhookSecrets
from libra.store.client import Store
from libra.store.continuous.webhooks import DEAD, DeliveryRecord
from libra.store.documents.create_time import now
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics
from libra.v1.webhook_pb2 import DeliveryState, Webhook

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
AT_ONCE = 16
"""Deliveries in flight of one replica."""

GONE = "the receiver answered 410, so the webhook is disabled; `libra hooks test` enables it again"
LEASE_MARGIN_SECONDS = 15.0
"""The lease of a delivery is longer by this than an attempt may take."""


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """The delays before a failed delivery is repeated."""

    delays_seconds: tuple[float, ...] = (5, 300, 1_800, 7_200, 18_000, 25_200, 36_000)
    """After each failed attempt: 5 s, 5 min, 30 min, 2 h, 5 h, 7 h, 10 h. Together they are a day."""

    jitter: float = 0.1
    """Each delay is changed by up to this share, so that receivers that were away are not called all at once."""

    max_wait_seconds: float = 86_400.0
    """A receiver that asks for a longer wait is tried again after this time."""

    def delay_after(self, failures: int, chance: float, retry_after_seconds: float = 0.0) -> float | None:
        """Return the delay after this many failures, None after the last; `chance` is a random number from 0 to 1.

        It is at least as long as the receiver asked for.
        """
        if failures > len(self.delays_seconds):
            return None
        delay = self.delays_seconds[failures - 1] * (1 + self.jitter * (2 * chance - 1))
        return max(delay, min(retry_after_seconds, self.max_wait_seconds))


class Posts(Protocol):
    """Posts a body, as `libra.core.http.poster.Poster` does."""

    async def post(self, text: str, headers: dict[str, str], body: bytes, timeout_seconds: float) -> PostResponse:
        """Return the response; raise PostFailed."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt to deliver an event."""

    is_delivered: bool
    result: str
    is_gone: bool = False
    """Whether the receiver wants no more events."""

    retry_after_seconds: float = 0.0
    """The wait that the receiver asked for."""


class DeliveryWorker:
    """Claims deliveries that are due. A replica that dies during an attempt is followed by another one."""

    def __init__(
        self,
        store: Store,
        secrets: WebhookSecrets,
        poster: Posts,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        retries: RetrySchedule | None = None,
        poll_seconds: float = POLL_SECONDS,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._store, self._secrets, self._poster = store, secrets, poster
        self._results = metrics.webhook_deliveries
        self._timeout_seconds, self._retries = timeout_seconds, retries or RetrySchedule()
        self._poll_seconds, self._clock = poll_seconds, clock

    async def work(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set, then let attempts end; if this coroutine is cancelled, so are they."""
        running = set[asyncio.Task[None]]()
        try:
            while not stop.is_set():
                running = {task for task in running if not task.done()}
                if len(running) >= AT_ONCE:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                elif record := await self._claim():
                    running.add(asyncio.create_task(self._deliver_claimed(record)))
                else:
                    await wait_until_set(stop, self._poll_seconds)
        except asyncio.CancelledError:
            for task in running:
                task.cancel()
            raise
        finally:
            await asyncio.gather(*running, return_exceptions=True)

    async def attempt(self, webhook: Webhook, event_id: str, body: str) -> Attempt:
        """Post an event once."""
        headers = await self._secrets.headers(webhook, event_id, body, self._clock())
        try:
            response = await self._poster.post(webhook.url, dict(headers), body.encode(), self._timeout_seconds)
        except PostFailed as error:
            return Attempt(is_delivered=False, result=str(error))
        status, wait_seconds = response.status, response.retry_after_seconds or 0.0
        result = f"the receiver answered {status}"
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            result += "; redirects are not followed"
        is_delivered = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        return Attempt(is_delivered, result, is_gone=status == HTTPStatus.GONE, retry_after_seconds=wait_seconds)

    async def _claim(self) -> DeliveryRecord | None:
        """Return a delivery that is due; None if there is none, or the store is away, which readiness reports."""
        try:
            return await self._store.deliveries.claim(self._timeout_seconds + LEASE_MARGIN_SECONDS)
        except Unavailable:
            return None

    async def _deliver_claimed(self, record: DeliveryRecord) -> None:
        """Deliver once. If the end of the attempt cannot be stored, it is repeated when its lease expires."""
        try:
            await self._deliver(record)
        except Unavailable:
            return
        except Exception:
            log.exception("a delivery failed on a bug", action=Action.DELIVERY_FAILED, delivery=record.delivery.id)

    async def _deliver(self, record: DeliveryRecord) -> None:
        delivery = record.delivery
        webhook = await self._store.webhooks.get(delivery.webhook)
        if webhook is None or webhook.id != record.webhook_id:
            return await self._give_up(record, "the webhook was deleted")
        if webhook.disable_reason:
            return await self._give_up(record, "the webhook is disabled")
        ended = await self.attempt(webhook, delivery.event_id, record.body)
        if ended.is_delivered:
            if await self._store.deliveries.settle(record, DeliveryState.DELIVERY_STATE_DELIVERED, ended.result):
                self._results.labels(result="delivered").inc()
            return None
        if ended.is_gone:
            await self._store.webhooks.set_disable_reason(webhook, GONE)
            return await self._give_up(record, ended.result)
        chance = random.random()  # noqa: S311 - jitter is no secret
        delay = self._retries.delay_after(record.failures + 1, chance, ended.retry_after_seconds)
        if delay is None:
            return await self._give_up(record, ended.result)
        if await self._store.deliveries.postpone(record, ended.result, delay):
            self._results.labels(result="postponed").inc()
        return None

    async def _give_up(self, record: DeliveryRecord, reason: str) -> None:
        if await self._store.deliveries.settle(record, DEAD, reason):
            self._results.labels(result="dead").inc()
            log.warning(
                "an event was not delivered",
                action=Action.DELIVERY_GIVEN_UP,
                delivery=record.delivery.id,
                reason=reason,
            )
