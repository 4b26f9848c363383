"""Webhooks, events and deliveries, in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from libra.store.continuous.webhooks import (
    DEAD,
    PENDING,
    DeliveryRecord,
    Event,
    delivery_from_document,
    delivery_to_document,
    duplicate_webhook,
    webhook_from_document,
)
from libra.store.documents.proto_documents import Document, to_document
from libra.store.documents.team_filter import is_changeable, is_visible, name_taken
from libra.testing.memory.transport import MemoryClient
from libra.v1.webhook_pb2 import Delivery, DeliveryState, Webhook


class MemoryEvents:
    """The twin of `libra.store.continuous.webhooks.EventCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def emit(self, event: Event) -> bool:
        """Store an event; return False if it was stored before."""

        def store() -> bool:
            if event.id in self._server.events:
                return False
            self._server.events[event.id] = self._server.pending_events[event.id] = event
            return True

        return await self._client.send(store)

    async def list_pending(self, limit: int) -> list[Event]:
        """Return events without deliveries, the oldest first."""
        return await self._client.send(lambda: list(self._server.pending_events.values())[:limit])

    async def mark_spread(self, event: Event) -> None:
        """Record that the deliveries of an event are stored."""
        await self._client.send(lambda: self._server.pending_events.pop(event.id, None))


class MemoryWebhooks:
    """The twin of `libra.store.continuous.webhooks.WebhookCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._documents, self._now = client, client.server.webhooks, client.server.now

    async def insert(self, webhook: Webhook) -> Webhook:
        """Store a webhook and return it; raise Conflict if its name is taken."""
        document: Document = {"create_time": self._now()} | to_document(webhook)
        if not await self._client.send(lambda: self._documents.setdefault(webhook.name, document) is document):
            if not is_visible(self._documents[webhook.name]):
                raise name_taken("webhook.name", webhook.name)
            raise duplicate_webhook(webhook)
        return webhook_from_document(document)

    async def get(self, name: str) -> Webhook | None:
        """Return one webhook; None if it is unknown."""
        document = await self._client.send(lambda: dict(self._documents.get(name, {})))
        return webhook_from_document(document) if document and is_visible(document) else None

    async def delete(self, name: str) -> bool:
        """Delete a webhook; return whether it existed."""

        def delete() -> bool:
            if not is_changeable(self._documents.get(name, {})):
                return False
            return self._documents.pop(name, None) is not None

        return await self._client.send(delete)

    async def rotate(self, webhook: Webhook, rotation_end_time: datetime) -> bool:
        """Add one to the version of the secret; return False if another call has done so since it was read."""

        def rotate() -> bool:
            document = self._documents.get(webhook.name, {})
            is_read = (document.get("id"), document.get("secret_version")) == (webhook.id, webhook.secret_version)
            if not is_read or not is_changeable(document):
                return False
            document |= {"secret_version": webhook.secret_version + 1, "rotation_end_time": rotation_end_time}
            return True

        return await self._client.send(rotate)

    async def set_disable_reason(self, webhook: Webhook, reason: str) -> None:
        """Disable a webhook with a reason, or enable it with ""."""

        def change() -> None:
            document = self._documents.get(webhook.name, {})
            if document.get("id") == webhook.id and is_changeable(document):
                document["disable_reason"] = reason

        await self._client.send(change)

    async def list(self) -> list[Webhook]:
        """Return every webhook, in order of name."""
        return await self._client.send(
            lambda: [
                webhook_from_document(self._documents[name])
                for name in sorted(self._documents)
                if is_visible(self._documents[name])
            ]
        )


class MemoryDeliveries:
    """The twin of `libra.store.continuous.webhooks.DeliveryCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._documents, self._now = client, client.server.deliveries, client.server.now

    async def insert(self, event: Event, webhook: Webhook, body: str) -> bool:
        """Store the delivery of an event to a webhook, due now; return False if it was stored before."""

        def insert() -> bool:
            document = delivery_to_document(event, webhook, body, self._now())
            return self._documents.setdefault(document["_id"], document) is document

        return await self._client.send(insert)

    async def claim(self, lease_seconds: float) -> DeliveryRecord | None:
        """Return a delivery that is due, None if there is none, and count an attempt."""

        def claim() -> DeliveryRecord | None:
            now = self._now()
            pending = [document for document in self._documents.values() if document["state"] == PENDING]
            due = [document for document in pending if document["next_time"] <= now]
            if not due:
                return None
            document = min(due, key=lambda document: document["next_time"])
            document["next_time"] = now + timedelta(seconds=lease_seconds)
            document["attempts"] += 1
            return delivery_from_document(document)

        return await self._client.send(claim)

    async def settle(self, record: DeliveryRecord, state: DeliveryState.ValueType, result: str) -> bool:
        """Record how the last attempt ended; return False if another replica has begun a later one."""

        def settle(document: Document) -> None:
            document |= {"state": state, "result": result}
            document.pop("next_time", None)

        return await self._change(record, settle)

    async def postpone(self, record: DeliveryRecord, result: str, seconds: float) -> bool:
        """Record that an attempt failed, and when the next one is due."""

        def postpone(document: Document) -> None:
            document |= {"result": result, "next_time": self._now() + timedelta(seconds=seconds)}
            document["failures"] += 1

        return await self._change(record, postpone)

    async def replay(self, delivery: str) -> bool:
        """Make a dead delivery due now, as if it had never been attempted; return False if it is not dead."""

        def replay() -> bool:
            document = self._documents.get(delivery)
            if document is None or document["state"] != DEAD or not is_changeable(document):
                return False
            document |= {"state": PENDING, "attempts": 0, "failures": 0, "next_time": self._now(), "result": ""}
            return True

        return await self._client.send(replay)

    async def get(self, delivery: str) -> DeliveryRecord | None:
        """Return one delivery; None if it is unknown."""
        document = await self._client.send(lambda: dict(self._documents.get(delivery, {})))
        return delivery_from_document(document) if document and is_visible(document) else None

    async def list(
        self, *, webhook: str = "", state: int = 0, before: tuple[datetime, str] | None = None, limit: int
    ) -> list[Delivery]:
        """Return up to `limit` deliveries, the newest first, those before a time and an id."""

        def position(document: Document) -> tuple[Any, str]:
            return document["create_time"], document["_id"]

        def find() -> list[Delivery]:
            found = [
                document
                for document in sorted(self._documents.values(), key=position, reverse=True)
                if webhook in ("", document["webhook"])
                and state in (0, document["state"])
                and is_visible(document)
                and (before is None or position(document) < before)
            ]
            return [delivery_from_document(document).delivery for document in found[:limit]]

        return await self._client.send(find)

    async def _change(self, record: DeliveryRecord, change: Callable[[Document], None]) -> bool:
        def apply() -> bool:
            document = self._documents.get(record.delivery.id)
            attempt = (PENDING, record.delivery.attempts)
            if document is None or (document["state"], document["attempts"]) != attempt:
                return False
            change(document)
            return True

        return await self._client.send(apply)
