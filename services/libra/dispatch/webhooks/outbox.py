"""Turn what is marked in the store into events, and events into deliveries."""

from __future__ import annotations

import asyncio
import contextlib

from libra.core.access.team_scope import SHARED
from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.dispatch.scheduling.run_progress import RunProgress
from libra.dispatch.webhooks.cloud_event import to_json
from libra.dispatch.webhooks.run_events import firing_event, run_event
from libra.store.client import Store
from libra.store.continuous.webhooks import Event
from libra.v1.webhook_pb2 import Webhook

POLL_SECONDS = 1.0
BATCH = 100
"""Documents that are read at once."""


class EventOutbox:
    """Polls the store. It needs no lease: ids make every step idempotent, and a crash repeats it."""

    def __init__(self, store: Store, poll_seconds: float = POLL_SECONDS) -> None:
        self._store, self._poll_seconds = store, poll_seconds

    async def work(self, stop: asyncio.Event) -> None:
        """Store events and deliveries until `stop` is set."""
        while not stop.is_set():
            with contextlib.suppress(Unavailable):  # readiness reports it; nothing is lost
                await self.poll()
            await wait_until_set(stop, self._poll_seconds)

    async def poll(self) -> None:
        """Do what is due now."""
        for record in await self._store.runs.list_unannounced(BATCH):
            await self._store.events.emit(run_event(await RunProgress.load(self._store.cells, record)))
            await self._store.runs.mark_announced(record.run.id)
        for firing in await self._store.firings.list_unannounced(BATCH):
            await self._store.events.emit(firing_event(firing))
            await self._store.firings.mark_announced(firing.id)
        if events := await self._store.events.list_pending(BATCH):
            webhooks = await self._store.webhooks.list()
            for event in events:
                await self._spread(event, webhooks)

    async def _spread(self, event: Event, webhooks: list[Webhook]) -> None:
        """Store a delivery for each webhook that wants the event."""
        body = to_json(event)
        for webhook in webhooks:
            if is_wanted(event, webhook):
                await self._store.deliveries.insert(event, webhook, body)
        await self._store.events.mark_spread(event)


def is_wanted(event: Event, webhook: Webhook) -> bool:
    """Return whether an event is delivered to a webhook: one of a team is told what the team sees."""
    if webhook.disable_reason or (webhook.team and event.team not in (SHARED, webhook.team)):
        return False
    return not webhook.event_types or event.type in webhook.event_types
