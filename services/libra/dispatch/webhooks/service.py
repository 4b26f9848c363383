"""WebhookService: register, test, rotate and delete webhooks, and list and replay deliveries."""

from __future__ import annotations

import asyncio
import socket
from datetime import datetime, timedelta

import grpc.aio
import structlog
from google.protobuf.timestamp_pb2 import Timestamp
from ulid import ULID

from libra.core.access import team_scope
from libra.core.errors import Conflict, FailedPrecondition, Invalid, NotFound, unknown
from libra.core.event_types import EVENT_TYPES, TEST
from libra.core.http.address_policy import AddressRefused
from libra.core.http.poster import Poster
from libra.dispatch.models.validation import MODEL_NAME
from libra.dispatch.webhooks.cloud_event import to_json
from libra.dispatch.webhooks.delivery_worker import DeliveryWorker
from libra.dispatch.webhooks.signature import WebhookSecrets
from libra.rpc import paging
from libra.store.client import Store
from libra.store.continuous.schedules import date_of
from libra.store.continuous.webhooks import Event
from libra.store.documents.create_time import now
from libra.telemetry.log_actions import Action
from libra.v1 import webhook_pb2_grpc
from libra.v1.webhook_pb2 import (
    CreateWebhookRequest,
    CreateWebhookResponse,
    DeleteWebhookRequest,
    DeleteWebhookResponse,
    GetWebhookRequest,
    GetWebhookResponse,
    ListDeliveriesRequest,
    ListDeliveriesResponse,
    ListWebhooksRequest,
    ListWebhooksResponse,
    ReplayDeliveryRequest,
    ReplayDeliveryResponse,
    RotateWebhookSecretRequest,
    RotateWebhookSecretResponse,
    TestWebhookRequest,
    TestWebhookResponse,
    Webhook,
)

log = structlog.get_logger(__name__)

URL_FIELD = "webhook.url"
MAX_WEBHOOKS = 100
ROTATION = timedelta(days=1)
"""Deliveries are signed with the previous secret as well for this time."""

RESOLVE_SECONDS = 5.0


class WebhookService(webhook_pb2_grpc.WebhookServiceServicer):
    """Maintains the webhooks. A secret leaves the service only when it is made, and is never logged."""

    def __init__(self, store: Store, secrets: WebhookSecrets, poster: Poster, deliveries: DeliveryWorker) -> None:
        self._store, self._secrets, self._poster, self._deliveries = store, secrets, poster, deliveries
        self._page_tokens = paging.PageTokens(store.load_page_token_key)

    async def CreateWebhook(
        self, request: CreateWebhookRequest, context: grpc.aio.ServicerContext
    ) -> CreateWebhookResponse:
        """Check the webhook, store it and return its secret."""
        asked = request.webhook
        check_webhook(asked)
        team = team_scope.owner_of_new(asked.team, field="webhook.team")
        await self._check_url(asked.url)
        if len(await self._store.webhooks.list()) >= MAX_WEBHOOKS:
            raise FailedPrecondition(f"there are {MAX_WEBHOOKS} webhooks; remove one first", field="webhook.name")
        kinds = sorted(set(asked.event_types))
        webhook = Webhook(
            name=asked.name, url=asked.url, event_types=kinds, id=str(ULID()), secret_version=1, team=team
        )
        webhook = await self._store.webhooks.insert(webhook)
        log.info("a webhook was created", action=Action.WEBHOOK_CREATED, webhook=webhook.name)
        return CreateWebhookResponse(webhook=webhook, secret=await self._secrets.derive(webhook, 1))

    async def GetWebhook(self, request: GetWebhookRequest, context: grpc.aio.ServicerContext) -> GetWebhookResponse:
        """Return one webhook."""
        return GetWebhookResponse(webhook=await self._webhook(request.name))

    async def ListWebhooks(
        self, request: ListWebhooksRequest, context: grpc.aio.ServicerContext
    ) -> ListWebhooksResponse:
        """Return all webhooks."""
        return ListWebhooksResponse(webhooks=await self._store.webhooks.list())

    async def DeleteWebhook(
        self, request: DeleteWebhookRequest, context: grpc.aio.ServicerContext
    ) -> DeleteWebhookResponse:
        """Delete a webhook."""
        await self._changeable(request.name)
        await self._store.webhooks.delete(request.name)
        log.info("a webhook was deleted", action=Action.WEBHOOK_DELETED, webhook=request.name)
        return DeleteWebhookResponse()

    async def RotateWebhookSecret(
        self, request: RotateWebhookSecretRequest, context: grpc.aio.ServicerContext
    ) -> RotateWebhookSecretResponse:
        """Make a new secret."""
        webhook = await self._changeable(request.name)
        if not await self._store.webhooks.rotate(webhook, now() + ROTATION):
            raise Conflict(f"another call changes the webhook {request.name} now; try again", field="name")
        webhook = await self._webhook(request.name)
        secret = await self._secrets.derive(webhook, webhook.secret_version)
        return RotateWebhookSecretResponse(webhook=webhook, secret=secret)

    async def TestWebhook(self, request: TestWebhookRequest, context: grpc.aio.ServicerContext) -> TestWebhookResponse:
        """Send a test event once; a disabled webhook whose receiver accepts it is enabled again."""
        webhook = await self._changeable(request.name)
        event = Event(TEST, f"webhooks/{webhook.name}/tests/{ULID()}", {"webhook": webhook.name}, now())
        ended = await self._deliveries.attempt(webhook, event.id, to_json(event))
        if ended.is_delivered and webhook.disable_reason:
            await self._store.webhooks.set_disable_reason(webhook, "")
        return TestWebhookResponse(delivered=ended.is_delivered, result=ended.result)

    async def ListDeliveries(
        self, request: ListDeliveriesRequest, context: grpc.aio.ServicerContext
    ) -> ListDeliveriesResponse:
        """Return a page of deliveries."""
        size = paging.page_size(request.page_size, default=50, maximum=500)
        scope = f"deliveries/{request.webhook}/{request.state}"
        before = _position(await self._page_tokens.decode(request.page_token, scope))
        found = await self._store.deliveries.list(
            webhook=request.webhook, state=request.state, before=before, limit=size + 1
        )
        if request.webhook and not found:
            await self._webhook(request.webhook, field="webhook")
        last = found[size - 1] if len(found) > size else None
        token = await self._page_tokens.encode(f"{last.create_time.ToMilliseconds()}/{last.id}", scope) if last else ""
        return ListDeliveriesResponse(deliveries=found[:size], next_page_token=token)

    async def ReplayDelivery(
        self, request: ReplayDeliveryRequest, context: grpc.aio.ServicerContext
    ) -> ReplayDeliveryResponse:
        """Deliver a dead delivery again."""
        record = await self._store.deliveries.get(request.id)
        if record is None:
            raise NotFound(f"there is no delivery {request.id!r}; `libra hooks deliveries` lists them", field="id")
        team_scope.require_change(record.delivery.team, f"the delivery {request.id}")
        webhook = await self._store.webhooks.get(record.delivery.webhook)
        if webhook is None or webhook.id != record.webhook_id:
            raise FailedPrecondition(f"the webhook {record.delivery.webhook} was deleted", field="id")
        if webhook.disable_reason:
            raise FailedPrecondition(
                f"the webhook {webhook.name} is disabled; `libra hooks test {webhook.name}` enables it", field="id"
            )
        if not await self._store.deliveries.replay(request.id):
            raise FailedPrecondition("only a dead delivery can be replayed", field="id")
        record = await self._store.deliveries.get(request.id)
        return ReplayDeliveryResponse(delivery=record.delivery if record else None)

    async def _check_url(self, url: str) -> None:
        """Raise Invalid unless the URL is one that may be posted to; its message does not quote the URL."""
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                await self._poster.check_name(url)
        except AddressRefused as refused:
            raise Invalid(str(refused), field=URL_FIELD) from None
        except ValueError as problem:  # InvalidHost too
            raise Invalid(f"{problem}", field=URL_FIELD) from None
        except socket.gaierror as error:
            if error.errno != socket.EAI_AGAIN:  # a name server that is away says nothing about the URL
                raise Invalid("its host does not exist; correct the URL", field=URL_FIELD) from None
        except TimeoutError:
            return

    async def _changeable(self, name: str) -> Webhook:
        webhook = await self._webhook(name)
        team_scope.require_change(webhook.team, f"the webhook {name}")
        return webhook

    async def _webhook(self, name: str, *, field: str = "name") -> Webhook:
        webhook = await self._store.webhooks.get(name)
        if webhook is None:
            names = [each.name for each in await self._store.webhooks.list()]
            raise NotFound.named("webhook", name, names, field=field)
        return webhook


def check_webhook(webhook: Webhook) -> None:
    """Raise Invalid unless the name and the types of events are valid."""
    if not MODEL_NAME.fullmatch(webhook.name):
        raise Invalid(
            f"{webhook.name!r} is not a valid name of a webhook: use 1 to 64 letters, digits, "
            '"_", "-" and ".", and begin with a letter or a digit',
            field="webhook.name",
        )
    for index, kind in enumerate(webhook.event_types):
        if kind not in EVENT_TYPES:
            raise Invalid(unknown("type of event", kind, EVENT_TYPES), field=f"webhook.event_types[{index}]")


def _position(text: str) -> tuple[datetime, str] | None:
    """Return the place that a page token names; None for the first page."""
    if not text:
        return None
    milliseconds, _, name = text.partition("/")
    stamp = Timestamp()
    stamp.FromMilliseconds(int(milliseconds))
    return date_of(stamp), name
