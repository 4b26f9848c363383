"""The contract of webhooks, events and deliveries: of the store on a real mongod, and of the one in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from libra.core.errors import Conflict
from libra.store.continuous.webhooks import DEAD, DeliveryRecord, Event
from libra.v1.webhook_pb2 import DeliveryState, Webhook

from .any_store import AnyStore, Connect

DELIVERED = DeliveryState.DELIVERY_STATE_DELIVERED
HOOK = Webhook(name="ci", url="https://example.com/", id="01A", secret_version=1, event_types=["libra.run.finished"])


@pytest.fixture
def store(connect: Connect) -> AnyStore:
    return connect(0)


def event(subject: str = "runs/1") -> Event:
    return Event("libra.run.finished", subject, {"run": "1", "counts": {"scored": 2}}, datetime(2026, 1, 1, tzinfo=UTC))


async def claim(store: AnyStore, lease_seconds: float = 60) -> DeliveryRecord:
    record = await store.deliveries.claim(lease_seconds)
    assert record is not None
    return record


async def test_an_event_is_stored_once_until_it_is_spread(store: AnyStore) -> None:
    assert await store.events.emit(event())
    assert not await store.events.emit(event())
    assert await store.events.list_pending(9) == [event()]
    await store.events.mark_spread(event())
    assert await store.events.list_pending(9) == []
    assert not await store.events.emit(event())


async def test_a_webhook_is_stored_under_its_name_and_its_secret_rotates_once(store: AnyStore) -> None:
    stored = await store.webhooks.insert(HOOK)
    assert stored.HasField("create_time")
    assert await store.webhooks.get("ci") == stored
    with pytest.raises(Conflict, match="libra hooks remove ci"):
        await store.webhooks.insert(HOOK)
    assert await store.webhooks.list() == [stored]
    end = datetime(2026, 1, 2, tzinfo=UTC)
    assert await store.webhooks.rotate(stored, end)
    assert not await store.webhooks.rotate(stored, end)
    await store.webhooks.set_disable_reason(stored, "gone")
    changed = await store.webhooks.get("ci")
    assert changed is not None
    assert (changed.secret_version, changed.disable_reason) == (2, "gone")
    assert changed.rotation_end_time.ToDatetime(tzinfo=UTC) == end
    assert await store.webhooks.delete("ci")
    assert not await store.webhooks.delete("ci")
    assert await store.webhooks.get("ci") is None


async def test_a_delivery_is_leased_until_its_lease_expires(store: AnyStore) -> None:
    assert await store.deliveries.claim(1) is None
    assert await store.deliveries.insert(event(), HOOK, "{}")
    assert not await store.deliveries.insert(event(), HOOK, "{}")
    first = await claim(store, 0.05)
    assert (first.delivery.attempts, first.webhook_id, first.body) == (1, "01A", "{}")
    async with asyncio.timeout(10):
        while (second := await store.deliveries.claim(60)) is None:
            await asyncio.sleep(0.02)
    assert second.delivery.attempts == 2
    assert await store.deliveries.claim(60) is None
    assert not await store.deliveries.settle(first, DEAD, "late")
    assert not await store.deliveries.postpone(first, "late", 1)
    assert await store.deliveries.settle(second, DELIVERED, "the receiver answered 200")
    [delivery] = await store.deliveries.list(limit=9)
    assert (delivery.state, delivery.result) == (DELIVERED, "the receiver answered 200")
    assert not delivery.HasField("next_time")


async def test_a_delivery_is_repeated_later_and_a_dead_one_can_be_replayed(store: AnyStore) -> None:
    await store.deliveries.insert(event(), HOOK, "{}")
    record = await claim(store)
    assert await store.deliveries.postpone(record, "$no", 0)
    record = await claim(store)
    assert (record.delivery.attempts, record.delivery.result) == (2, "$no")
    assert not await store.deliveries.replay(record.delivery.id)
    assert await store.deliveries.settle(record, DEAD, "no")
    assert await store.deliveries.claim(60) is None
    assert await store.deliveries.replay(record.delivery.id)
    record = await claim(store)
    assert record.delivery.attempts == 1
    assert await store.deliveries.get("unknown") is None


async def test_deliveries_are_listed_from_the_newest_by_webhook_and_state(store: AnyStore) -> None:
    other = Webhook(name="other", url="https://example.com/", id="01B")
    for number in range(3):
        await store.deliveries.insert(event(f"runs/{number}"), HOOK, "{}")
        await store.deliveries.insert(event(f"runs/{number}"), other, "{}")
    everything = await store.deliveries.list(limit=9)
    assert len(everything) == 6
    last = everything[3]
    position = (last.create_time.ToDatetime(tzinfo=UTC), last.id)
    assert await store.deliveries.list(before=position, limit=9) == everything[4:]
    assert {each.webhook for each in await store.deliveries.list(webhook="other", limit=9)} == {"other"}
    assert await store.deliveries.list(state=DEAD, limit=9) == []
