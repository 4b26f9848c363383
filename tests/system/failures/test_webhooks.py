"""The end of a run is told to a webhook, also when dispatch is killed between sending and recording."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.chaos.harness import NO_PAGES
from tests.integration.dispatch.webhooks.receiver import receiving

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.v1.run_pb2 import CreateRunRequest, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.webhook_pb2 import CreateWebhookRequest, DeliveryState, ListDeliveriesRequest, Webhook
from libra.v1.webhook_pb2_grpc import WebhookServiceStub

pytestmark = pytest.mark.timeout(180)

CALL_SECONDS = 20.0
VARIABLES = {
    "LIBRA_DISPATCH_WEBHOOK_NETWORKS": "loopback",
    "LIBRA_DISPATCH_WEBHOOK_HTTP_HOSTS": "127.0.0.1",
    "LIBRA_DISPATCH_WEBHOOK_TIMEOUT_SECONDS": "5",
}


async def test_an_event_arrives_again_under_its_id_after_a_kill_between_sending_and_recording(tmp_path: Path) -> None:
    with System.start(tmp_path, replicas=NO_PAGES, variables=VARIABLES) as system:
        async with channel(system.grpc_target("dispatch")) as opened, receiving() as receiver:
            hooks, runs = WebhookServiceStub(opened), RunServiceStub(opened)
            request = CreateWebhookRequest(webhook=Webhook(name="ci", url=receiver.url))
            secret = (await call(hooks.CreateWebhook, request, CALL_SECONDS)).secret
            receiver.hold = asyncio.Event()
            spec = RunSpec(models=["careful"], tasks=["arithmetic"], samples_per_task=2)
            run = (await call(runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
            await receiver.wait_for(1, seconds=60)
            await asyncio.to_thread(system.kill, "dispatch")
            receiver.hold.set()
            await asyncio.to_thread(system.start_part, "dispatch")
            await receiver.wait_for(2, seconds=60)
            async with asyncio.timeout(CALL_SECONDS):
                while True:
                    [delivery] = (await call(hooks.ListDeliveries, ListDeliveriesRequest(), CALL_SECONDS)).deliveries
                    if delivery.state == DeliveryState.DELIVERY_STATE_DELIVERED:
                        break
                    await asyncio.sleep(0.1)
    first, second = receiver.received
    assert first.webhook_id == second.webhook_id
    assert first.body == second.body
    body = second.verify(secret)
    assert (body["type"], body["data"]["run"]) == ("libra.run.finished", run.id)
    assert body["data"]["counts"]["scored"] == 2
    assert delivery.attempts == 2
    logs = "".join(path.read_text() for path in tmp_path.rglob("*.log"))
    assert secret.removeprefix("whsec_") not in logs
    assert json.loads(second.body)["id"] == second.webhook_id
