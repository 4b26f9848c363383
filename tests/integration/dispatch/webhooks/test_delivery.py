"""Events are signed, delivered to a real receiver, repeated, given up and replayed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from standardwebhooks import WebhookVerificationError
from structlog.testing import capture_logs
from tests.integration.support.serving import serve

from libra.core.errors import Conflict, FailedPrecondition, Invalid, LibraError, NotFound
from libra.core.http.address_policy import AddressPolicy
from libra.core.http.poster import Poster, TargetRules
from libra.dispatch.webhooks.delivery_worker import DeliveryWorker, RetrySchedule
from libra.dispatch.webhooks.outbox import EventOutbox
from libra.dispatch.webhooks.service import WebhookService
from libra.dispatch.webhooks.signature import WebhookSecrets
from libra.rpc.client import call
from libra.store.client import Store
from libra.store.continuous.webhooks import Event
from libra.store.runs import RunRecord
from libra.telemetry.metrics import Metrics
from libra.v1 import webhook_pb2
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.schedule_pb2 import Firing, FiringState
from libra.v1.webhook_pb2 import (
    CreateWebhookRequest,
    CreateWebhookResponse,
    DeleteWebhookRequest,
    Delivery,
    DeliveryState,
    GetWebhookRequest,
    ListDeliveriesRequest,
    ListWebhooksRequest,
    ReplayDeliveryRequest,
    RotateWebhookSecretRequest,
    Webhook,
)
from libra.v1.webhook_pb2_grpc import WebhookServiceStub, add_WebhookServiceServicer_to_server

from .receiver import Receiver, receiving

SECONDS = 20.0
LOOPBACK = TargetRules(AddressPolicy.parse("loopback"), frozenset({"127.0.0.1"}))
SOON = RetrySchedule((0.05, 0.05, 0.05))
DELIVERED, DEAD = DeliveryState.DELIVERY_STATE_DELIVERED, DeliveryState.DELIVERY_STATE_DEAD


@dataclass
class World:
    """The service on its own port, and its workers."""

    store: Store
    stub: WebhookServiceStub
    outbox: EventOutbox
    worker: DeliveryWorker
    registry: CollectorRegistry

    async def create(self, receiver: Receiver, name: str = "ci", **fields: Any) -> CreateWebhookResponse:
        request = CreateWebhookRequest(webhook=Webhook(name=name, url=receiver.url, **fields))
        created: CreateWebhookResponse = await call(self.stub.CreateWebhook, request, SECONDS)
        return created

    async def emit(self, subject: str = "runs/1", kind: str = "libra.run.finished") -> Event:
        event = Event(kind, subject, {"run": "1", "text": "ü"}, datetime.now(UTC))
        assert await self.store.events.emit(event)
        return event

    async def deliveries(self, **fields: Any) -> list[Delivery]:
        return list((await call(self.stub.ListDeliveries, ListDeliveriesRequest(**fields), SECONDS)).deliveries)

    async def test(self, name: str = "ci") -> webhook_pb2.TestWebhookResponse:
        tested: webhook_pb2.TestWebhookResponse = await call(
            self.stub.TestWebhook, webhook_pb2.TestWebhookRequest(name=name), SECONDS
        )
        return tested

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        tasks = [asyncio.create_task(work(stop)) for work in (self.outbox.work, self.worker.work)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def until(self, is_done: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(SECONDS):
            while not await is_done():
                await asyncio.sleep(0.02)

    async def until_settled(self) -> list[Delivery]:
        async def is_done() -> bool:
            found = await self.deliveries()
            return bool(found) and all(each.state in (DELIVERED, DEAD) for each in found)

        await self.until(is_done)
        return await self.deliveries()


@asynccontextmanager
async def world_of(store: Store, rules: TargetRules) -> AsyncIterator[World]:
    poster, secrets, registry = Poster(rules), WebhookSecrets(store.load_webhook_key), CollectorRegistry()
    worker = DeliveryWorker(
        store, secrets, poster, Metrics(registry), timeout_seconds=2, retries=SOON, poll_seconds=0.02
    )
    service = WebhookService(store, secrets, poster, worker)
    async with serve((add_WebhookServiceServicer_to_server, service, "libra.v1.WebhookService")) as opened:
        yield World(store, WebhookServiceStub(opened), EventOutbox(store, 0.02), worker, registry)
    await poster.close()


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    async with world_of(store, LOOPBACK) as made:
        yield made


async def test_an_event_arrives_once_signed_as_a_cloud_event(world: World) -> None:
    async with receiving() as receiver, world.working():
        created = await world.create(receiver)
        event = await world.emit()
        [delivery] = await world.until_settled()
    [received] = receiver.received
    body = received.verify(created.secret)
    assert body == {
        "specversion": "1.0",
        "id": event.id,
        "source": "/libra",
        "type": "libra.run.finished",
        "subject": "runs/1",
        "time": body["time"],
        "datacontenttype": "application/json",
        "data": {"run": "1", "text": "ü"},
    }
    assert received.headers["content-type"] == "application/cloudevents+json"
    assert received.webhook_id == event.id == delivery.event_id
    assert (delivery.state, delivery.attempts, delivery.result) == (DELIVERED, 1, "the receiver answered 204")
    with pytest.raises(WebhookVerificationError):
        received.verify("whsec_" + "A" * 43 + "=")


async def test_a_failed_delivery_is_repeated_with_the_same_id_and_a_new_timestamp(world: World) -> None:
    async with receiving(500, 429, 302) as receiver, world.working():
        created = await world.create(receiver)
        await world.emit()
        [delivery] = await world.until_settled()
    assert (delivery.state, delivery.attempts) == (DELIVERED, 4)
    assert len({received.webhook_id for received in receiver.received}) == 1
    assert len(receiver.received) == 4  # the redirect was not followed
    for received in receiver.received:
        received.verify(created.secret)


async def test_after_the_last_attempt_a_delivery_is_dead_and_can_be_replayed(world: World) -> None:
    async with receiving(*[503] * 4) as receiver, world.working():
        await world.create(receiver)
        await world.emit()
        [dead] = await world.until_settled()
        assert (dead.state, dead.attempts, dead.result) == (DEAD, 4, "the receiver answered 503")
        assert await world.deliveries(webhook="ci", state=DEAD) == [dead]
        await call(world.stub.ReplayDelivery, ReplayDeliveryRequest(id=dead.id), SECONDS)
        await receiver.wait_for(5)
        [delivery] = await world.until_settled()
        assert (delivery.state, delivery.attempts) == (DELIVERED, 1)
        with pytest.raises(FailedPrecondition, match="only a dead delivery"):
            await call(world.stub.ReplayDelivery, ReplayDeliveryRequest(id=dead.id), SECONDS)
    assert len({received.webhook_id for received in receiver.received}) == 1


async def test_a_receiver_that_answers_410_gets_nothing_more_until_it_is_tested(world: World) -> None:
    async with receiving(410) as receiver, world.working():
        await world.create(receiver)
        await world.emit("runs/1")
        [dead] = await world.until_settled()
        webhook = (await call(world.stub.GetWebhook, GetWebhookRequest(name="ci"), SECONDS)).webhook
        assert "answered 410" in webhook.disable_reason
        await world.emit("runs/2")

        async def is_spread() -> bool:
            return not await world.store.events.list_pending(9)

        await world.until(is_spread)
        assert len(await world.deliveries()) == 1
        with pytest.raises(FailedPrecondition, match="libra hooks test ci"):
            await call(world.stub.ReplayDelivery, ReplayDeliveryRequest(id=dead.id), SECONDS)
        assert (await world.test()).delivered
        webhook = (await call(world.stub.GetWebhook, GetWebhookRequest(name="ci"), SECONDS)).webhook
        assert webhook.disable_reason == ""
        await call(world.stub.ReplayDelivery, ReplayDeliveryRequest(id=dead.id), SECONDS)
        await world.until_settled()
    assert len(receiver.received) == 3


async def test_while_a_secret_is_rotated_both_sign(world: World) -> None:
    async with receiving() as receiver, world.working():
        first = await world.create(receiver)
        rotated = await call(world.stub.RotateWebhookSecret, RotateWebhookSecretRequest(name="ci"), SECONDS)
        assert rotated.secret != first.secret
        await world.emit()
        await world.until_settled()
        stored = await world.store.webhooks.get("ci")
        assert stored is not None
        after = await world.worker._secrets.headers(stored, "evt", "{}", datetime(2200, 1, 1, tzinfo=UTC))
    [received] = receiver.received
    assert len(received.headers["webhook-signature"].split()) == 2
    for secret in (first.secret, rotated.secret):
        assert received.verify(secret)["subject"] == "runs/1"
    assert len(after["webhook-signature"].split()) == 1


async def test_a_webhook_gets_the_types_that_it_selects(world: World) -> None:
    async with receiving() as receiver, world.working():
        await world.create(receiver, event_types=["libra.firing.failed"])
        await world.emit()
        await world.emit("firings/1", "libra.firing.failed")
        await world.until_settled()
    assert [json.loads(received.body)["type"] for received in receiver.received] == ["libra.firing.failed"]


async def test_ended_runs_and_failed_firings_become_events_once(world: World) -> None:
    store = world.store
    for number, state in ((1, RunState.RUN_STATE_FINISHED), (2, RunState.RUN_STATE_CANCELLED)):
        run = Run(id=f"01RUN{number}", spec=RunSpec(models=["m"]), state=RunState.RUN_STATE_RUNNING)
        await store.runs.insert(RunRecord(run, []))
        await store.runs.mark_ended(run.id, state)
    firing = Firing(id="f", schedule="nightly", state=FiringState.FIRING_STATE_STARTING)
    firing.time.GetCurrentTime()
    await store.firings.insert(firing)
    failed = Firing(state=FiringState.FIRING_STATE_FAILED, reason="models[0]: there is no model 'm'")
    await store.firings.settle(firing, [FiringState.FIRING_STATE_STARTING], failed)
    async with receiving() as receiver:
        await world.create(receiver)
        await asyncio.gather(*(EventOutbox(store).poll() for _ in range(3)))
        async with world.working():
            await receiver.wait_for(3)
            await world.until_settled()
    events = {body["type"]: body for body in (json.loads(received.body) for received in receiver.received)}
    assert len(receiver.received) == 3
    assert set(events) == {"libra.run.failed", "libra.run.cancelled", "libra.firing.failed"}
    assert events["libra.run.cancelled"]["data"]["run"] == "01RUN2"
    assert events["libra.firing.failed"]["data"]["reason"] == "models[0]: there is no model 'm'"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.com/", "must begin with https://"),
        ("ftp://hooks.example.com/", "must be an https:// URL"),
        ("hooks.example.com", "must be an https:// URL"),
        ("https://user:pass@hooks.example.com/", "no user, password"),
        ("https://192.168.1.7/", "private address"),
        ("https://169.254.169.254/latest", "metadata service"),
        ("https://[fe80::1]/", "link-local"),
        ("https://[::ffff:10.0.0.1]/", "private address"),
        ("https://2130706434/", "loopback address"),
        ("https://localhost/", "loopback"),
        ("https://metadata.google.internal/", "metadata service"),
        ("https://there-is-no-such-host.invalid/", "does not exist"),
        ("https://a b/", "a space"),
        (f"https://example.com/{'x' * 2048}", "longer than"),
    ],
    ids=range(14),
)
async def test_a_url_that_is_no_public_https_address_is_refused(store: Store, url: str, words: str) -> None:
    async with world_of(store, TargetRules()) as world:
        with pytest.raises(Invalid, match=words) as refused:
            await call(world.stub.CreateWebhook, CreateWebhookRequest(webhook=Webhook(name="ci", url=url)), SECONDS)
        assert refused.value.field == "webhook.url"
        assert "pass" not in str(refused.value).replace("password", "")
        assert (await call(world.stub.ListWebhooks, ListWebhooksRequest(), SECONDS)).webhooks == []


async def test_other_invalid_requests_name_their_field(world: World) -> None:
    async with receiving() as receiver:
        await world.create(receiver)
        invalid: list[tuple[str, Any, type[LibraError], str]] = [
            ("CreateWebhook", CreateWebhookRequest(webhook=Webhook(name="-", url=receiver.url)), Invalid, "valid name"),
            ("CreateWebhook", CreateWebhookRequest(webhook=Webhook(name="ci", url=receiver.url)), Conflict, "exists"),
            (
                "CreateWebhook",
                CreateWebhookRequest(webhook=Webhook(name="x", url=receiver.url, event_types=["libra.run.finish"])),
                Invalid,
                "did you mean libra.run.finished",
            ),
            ("GetWebhook", GetWebhookRequest(name="c"), NotFound, "no webhook 'c'"),
            ("TestWebhook", webhook_pb2.TestWebhookRequest(name="c"), NotFound, "no webhook 'c'"),
            ("ListDeliveries", ListDeliveriesRequest(webhook="c"), NotFound, "no webhook 'c'"),
            ("ReplayDelivery", ReplayDeliveryRequest(id="c"), NotFound, "no delivery 'c'"),
        ]
        for method, request, kind, words in invalid:
            with pytest.raises(kind, match=words):
                await call(getattr(world.stub, method), request, SECONDS)


async def test_deliveries_of_a_deleted_webhook_are_given_up(world: World) -> None:
    async with receiving() as receiver:
        await world.create(receiver)
        await world.emit()
        await world.outbox.poll()
        await call(world.stub.DeleteWebhook, DeleteWebhookRequest(name="ci"), SECONDS)
        await world.create(receiver)
        async with world.working():
            [dead] = await world.until_settled()
    assert (dead.state, dead.result) == (DEAD, "the webhook was deleted")
    assert receiver.received == []


async def test_a_receiver_that_does_not_answer_or_is_away_fails_the_attempt(world: World) -> None:
    async with receiving() as receiver:
        receiver.hold = asyncio.Event()
        await world.create(receiver)
        late = await world.test()
        assert (late.delivered, late.result) == (False, "no response within 2 s")
        receiver.hold.set()
    away = await world.test()
    assert (away.delivered, away.result) == (False, "nobody listens at the receiver's address")


async def test_no_secret_is_stored_or_logged(world: World) -> None:
    with capture_logs() as logs:
        async with receiving(500) as receiver, world.working():
            created = await world.create(receiver)
            await world.emit()
            await world.until_settled()
    stored = [await world.store._database[name].find().to_list(None) for name in ("webhooks", "deliveries", "events")]
    assert created.secret.removeprefix("whsec_") not in f"{stored} {logs}"
    assert created.secret.startswith("whsec_")


async def test_a_receiver_is_not_called_before_the_time_that_it_asks_for(world: World) -> None:
    async with receiving(429) as receiver, world.working():
        receiver.retry_after = "1"
        await world.create(receiver)
        await world.emit()
        await receiver.wait_for(1)
        started = asyncio.get_running_loop().time()
        [delivery] = await world.until_settled()
        waited_seconds = asyncio.get_running_loop().time() - started
    assert (delivery.state, delivery.attempts) == (DELIVERED, 2)
    assert waited_seconds > 0.9  # SOON repeats after 0.05 s


async def test_attempts_are_counted_by_their_result(world: World) -> None:
    async with receiving(500, 204, *[500] * 4) as receiver, world.working():
        await world.create(receiver)
        await world.emit("runs/1")
        await world.until_settled()
        await world.emit("runs/2")
        await receiver.wait_for(6)
        await world.until_settled()
    counted = {
        result: world.registry.get_sample_value("libra_webhook_deliveries_total", {"result": result})
        for result in ("delivered", "postponed", "dead")
    }
    assert counted == {"delivered": 1, "postponed": 4, "dead": 1}
