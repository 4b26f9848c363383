"""The parts of webhooks, built from the settings of dispatch."""

from __future__ import annotations

import asyncio

from libra.core.http.poster import Poster
from libra.dispatch.settings import Settings
from libra.dispatch.webhooks.delivery_worker import DeliveryWorker
from libra.dispatch.webhooks.outbox import EventOutbox
from libra.dispatch.webhooks.service import WebhookService
from libra.dispatch.webhooks.signature import WebhookSecrets, read_key_file
from libra.store.client import Store
from libra.telemetry.metrics import Metrics


class Webhooks:
    """The service and the workers. Raises InvalidSettings if the key file or the proxy is not usable."""

    def __init__(self, store: Store, settings: Settings, metrics: Metrics) -> None:
        self._poster = Poster(settings.webhook_rules(), proxies=settings.webhook_proxies())
        key = read_key_file(settings.webhook_key_file) if settings.webhook_key_file else None

        async def load_key() -> bytes:
            return key or await store.load_webhook_key()

        secrets = WebhookSecrets(load_key)
        self._deliveries = DeliveryWorker(
            store, secrets, self._poster, metrics, timeout_seconds=settings.webhook_timeout_seconds
        )
        self.outbox = EventOutbox(store)
        self.service = WebhookService(store, secrets, self._poster, self._deliveries)

    async def work(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; then close the connections."""
        try:
            await self._deliveries.work(stop)
        finally:
            await self._poster.close()
