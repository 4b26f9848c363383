"""Webhooks, the events that they deliver, and each delivery of an event to a webhook.

The three collections are a transactional outbox. Whoever changes a document that an event is about marks the document
by the same write, or stores the event with `EventCollection.emit`; ids make every step idempotent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from libra.core.access.team_scope import SHARED
from libra.core.errors import Conflict
from libra.store import indexes
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import changeable, name_taken, visible
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.webhook_pb2 import Delivery, DeliveryState, Webhook

PENDING, DEAD = DeliveryState.DELIVERY_STATE_PENDING, DeliveryState.DELIVERY_STATE_DEAD
ID_DIGITS = 32
DELIVERY_DIGITS = 20
"""Fewer digits than an event has, since users type the id of a delivery."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, of a type in `libra.core.event_types`."""

    type: str
    subject: str
    """The resource that it is about, for instance "runs/01JZ...". One event of a type is stored for each subject."""

    data: Mapping[str, Any]
    """Content for the receivers: JSON, without prompts, answers or keys."""

    time: datetime
    team: str = SHARED
    """The team that owns what it is about."""

    @property
    def id(self) -> str:
        """The id, the same for each attempt to store or to deliver the event."""
        return f"evt_{hashlib.sha256(f'{self.type}/{self.subject}'.encode()).hexdigest()[:ID_DIGITS]}"


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A delivery with what it delivers."""

    delivery: Delivery
    webhook_id: str
    body: str
    failures: int
    """Attempts that are known to have failed. An attempt whose replica died is not among them: it uses up no repeat."""


class EventCollection:
    """Stores each event once."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.EVENTS]
        self._translate_errors = translate_errors

    async def emit(self, event: Event) -> bool:
        """Store an event, which the webhooks then deliver; return False if it was stored before."""
        document = {
            "_id": event.id,
            "type": event.type,
            "subject": event.subject,
            "data": dict(event.data),
            "time": event.time,
            "create_time": now(),
            "pending": True,
        } | ({"team": event.team} if event.team else {})
        with self._translate_errors():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                return False
        return True

    async def list_pending(self, limit: int) -> list[Event]:
        """Return events without deliveries, the oldest first."""
        with self._translate_errors():
            found = self._collection.find({"pending": True}).sort("create_time", 1).limit(limit)
            return [_event_from_document(document) async for document in found]

    async def mark_spread(self, event: Event) -> None:
        """Record that the deliveries of an event are stored."""
        with self._translate_errors():
            await self._collection.update_one({"_id": event.id}, {"$unset": {"pending": ""}})


class WebhookCollection:
    """Stores every webhook under its name, without its secret.

    A task sees and changes only the webhooks that its team does.
    """

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.WEBHOOKS]
        self._translate_errors = translate_errors

    async def insert(self, webhook: Webhook) -> Webhook:
        """Store a webhook and return it; raise Conflict if its name is taken."""
        document = {"_id": webhook.name, "create_time": now()} | to_document(webhook)
        with self._translate_errors():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                if await self.get(webhook.name) is None:
                    raise name_taken("webhook.name", webhook.name) from None
                raise duplicate_webhook(webhook) from None
        return webhook_from_document(document)

    async def get(self, name: str) -> Webhook | None:
        """Return one webhook; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": name} | visible())
        return webhook_from_document(document) if document else None

    async def delete(self, name: str) -> bool:
        """Delete a webhook; return whether it existed."""
        with self._translate_errors():
            return (await self._collection.delete_one({"_id": name} | changeable())).deleted_count > 0

    async def rotate(self, webhook: Webhook, rotation_end_time: datetime) -> bool:
        """Add one to the version of the secret; return False if another call has done so since it was read."""
        query = {"_id": webhook.name, "id": webhook.id, "secret_version": webhook.secret_version} | changeable()
        change = {"$inc": {"secret_version": 1}, "$set": {"rotation_end_time": rotation_end_time}}
        with self._translate_errors():
            return (await self._collection.update_one(query, change)).matched_count > 0

    async def set_disable_reason(self, webhook: Webhook, reason: str) -> None:
        """Disable a webhook with a reason, or enable it with ""."""
        with self._translate_errors():
            await self._collection.update_one(
                {"_id": webhook.name, "id": webhook.id} | changeable(), {"$set": {"disable_reason": reason}}
            )

    async def list(self) -> list[Webhook]:
        """Return every webhook, in order of name."""
        with self._translate_errors():
            return [
                webhook_from_document(document) async for document in self._collection.find(visible()).sort("_id", 1)
            ]


class DeliveryCollection:
    """Stores each delivery once, and leases those that are due."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.DELIVERIES]
        self._translate_errors = translate_errors

    async def insert(self, event: Event, webhook: Webhook, body: str) -> bool:
        """Store the delivery of an event to a webhook, due now; return False if it was stored before."""
        with self._translate_errors():
            try:
                await self._collection.insert_one(delivery_to_document(event, webhook, body, now()))
            except DuplicateKeyError:
                return False
        return True

    async def claim(self, lease_seconds: float) -> DeliveryRecord | None:
        """Return a delivery that is due, None if there is none, and count an attempt.

        It is not due again for `lease_seconds`, by the server's clock; if its replica dies, another one repeats it.
        """
        query = {"state": PENDING, "$expr": {"$lte": ["$next_time", "$$NOW"]}}
        change = [
            {
                "$set": {
                    "next_time": {"$add": ["$$NOW", round(lease_seconds * 1000)]},
                    "attempts": {"$add": ["$attempts", 1]},
                }
            }
        ]
        with self._translate_errors():
            document = await self._collection.find_one_and_update(
                query, change, sort=[("next_time", 1)], return_document=ReturnDocument.AFTER
            )
        return delivery_from_document(document) if document else None

    async def settle(self, record: DeliveryRecord, state: DeliveryState.ValueType, result: str) -> bool:
        """Record how the last attempt ended; return False if another replica has begun a later one."""
        change = {"$set": {"state": state, "result": result}, "$unset": {"next_time": ""}}
        with self._translate_errors():
            return (await self._collection.update_one(_attempt(record), change)).matched_count > 0

    async def postpone(self, record: DeliveryRecord, result: str, seconds: float) -> bool:
        """Record that an attempt failed, and when the next one is due."""
        change = [
            {
                "$set": {
                    "result": {"$literal": result},
                    "next_time": {"$add": ["$$NOW", round(seconds * 1000)]},
                    "failures": {"$add": ["$failures", 1]},
                }
            }
        ]
        with self._translate_errors():
            return (await self._collection.update_one(_attempt(record), change)).matched_count > 0

    async def replay(self, delivery: str) -> bool:
        """Make a dead delivery due now, as if it had never been attempted; return False if it is not dead."""
        change = [{"$set": {"state": PENDING, "attempts": 0, "failures": 0, "next_time": "$$NOW", "result": ""}}]
        with self._translate_errors():
            result = await self._collection.update_one({"_id": delivery, "state": DEAD} | changeable(), change)
        return result.matched_count > 0

    async def get(self, delivery: str) -> DeliveryRecord | None:
        """Return one delivery; None if it is unknown."""
        with self._translate_errors():
            document = await self._collection.find_one({"_id": delivery} | visible())
        return delivery_from_document(document) if document else None

    async def list(
        self, *, webhook: str = "", state: int = 0, before: tuple[datetime, str] | None = None, limit: int
    ) -> list[Delivery]:
        """Return up to `limit` deliveries, the newest first, those before a time and an id."""
        query: Document = ({"webhook": webhook} if webhook else {}) | ({"state": state} if state else {}) | visible()
        if before:
            time, name = before
            query["$or"] = [{"create_time": {"$lt": time}}, {"create_time": time, "_id": {"$lt": name}}]
        with self._translate_errors():
            found = self._collection.find(query).sort([("create_time", -1), ("_id", -1)]).limit(limit)
            return [delivery_from_document(document).delivery async for document in found]


def duplicate_webhook(webhook: Webhook) -> Conflict:
    """Return the error for a webhook whose name is taken."""
    return Conflict(
        f"a webhook {webhook.name!r} exists; remove it first (`libra hooks remove {webhook.name}`) or use another name",
        field="webhook.name",
    )


def delivery_to_document(event: Event, webhook: Webhook, body: str, time: datetime) -> Document:
    """Return the document of a new delivery, due at `time`."""
    delivery = Delivery(
        webhook=webhook.name,
        event_id=event.id,
        event_type=event.type,
        state=PENDING,
        team=webhook.team or event.team,
    )
    name = hashlib.sha256(f"{event.id}/{webhook.id}".encode()).hexdigest()[:DELIVERY_DIGITS]
    more = {"_id": f"dlv_{name}", "webhook_id": webhook.id, "body": body}
    return to_document(delivery) | more | {"attempts": 0, "failures": 0, "next_time": time, "create_time": time}


def _attempt(record: DeliveryRecord) -> Document:
    """Return the query for a delivery whose last attempt is the one of this record."""
    return {"_id": record.delivery.id, "state": PENDING, "attempts": record.delivery.attempts}


def _event_from_document(document: Document) -> Event:
    time: datetime = document["time"]
    return Event(
        document["type"], document["subject"], document["data"], time.astimezone(UTC), document.get("team", SHARED)
    )


def webhook_from_document(document: Document) -> Webhook:
    """Return the webhook that a document stores."""
    return from_document(Webhook(), document)


def delivery_from_document(document: Document) -> DeliveryRecord:
    """Return the delivery that a document stores."""
    delivery = from_document(Delivery(id=document["_id"]), document)
    return DeliveryRecord(delivery, document["webhook_id"], document["body"], document["failures"])
