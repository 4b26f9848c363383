from __future__ import annotations

import json

import pytest
from tests.unit.cli.scripted_services import ScriptedServices

from libra.core.errors import Invalid
from libra.v1 import webhook_pb2
from libra.v1.webhook_pb2 import (
    CreateWebhookResponse,
    Delivery,
    DeliveryState,
    GetWebhookResponse,
    ListDeliveriesResponse,
    ListWebhooksResponse,
    ReplayDeliveryResponse,
    RotateWebhookSecretResponse,
    Webhook,
)

HOOK = Webhook(name="ci", url="https://hooks.example.com/libra", secret_version=2, disable_reason="answered 410")


def test_a_secret_is_printed_when_it_is_made(services: ScriptedServices) -> None:
    services.replies |= {
        "CreateWebhook": CreateWebhookResponse(webhook=HOOK, secret="whsec_one"),
        "RotateWebhookSecret": RotateWebhookSecretResponse(webhook=HOOK, secret="whsec_two"),
    }
    added = services.libra("hooks", "add", "ci", "--url", HOOK.url, "--event", "libra.run.finished")
    assert "secret: whsec_one" in added.stdout
    assert services.requests[0].webhook == Webhook(name="ci", url=HOOK.url, event_types=["libra.run.finished"])
    assert "secret: whsec_two" in services.libra("hooks", "rotate", "ci").stdout


@pytest.mark.parametrize(("delivered", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_of_a_test_shows_whether_it_was_accepted(
    services: ScriptedServices, *, delivered: bool, code: int
) -> None:
    services.replies["TestWebhook"] = webhook_pb2.TestWebhookResponse(delivered=delivered, result="answered")
    result = services.libra("hooks", "test", "ci")
    assert (result.exit_code, result.stdout.startswith("delivered")) == (code, delivered)


def test_an_error_names_the_option(services: ScriptedServices) -> None:
    services.replies["CreateWebhook"] = Invalid("it must begin with https://", field="webhook.url")
    result = services.libra("hooks", "add", "ci", "--url", "http://x/")
    assert result.exit_code == 2
    assert "--url: it must begin with https://" in result.stderr


def test_hooks_and_deliveries_fit_a_terminal_and_have_json(services: ScriptedServices) -> None:
    delivery = Delivery(
        id=f"dlv_{'0' * 20}",
        webhook="ci",
        event_type="libra.run.finished",
        state=DeliveryState.DELIVERY_STATE_DEAD,
        attempts=8,
        result="the receiver answered 503",
    )
    services.replies |= {
        "ListWebhooks": ListWebhooksResponse(webhooks=[HOOK]),
        "GetWebhook": GetWebhookResponse(webhook=HOOK),
        "ListDeliveries": ListDeliveriesResponse(deliveries=[delivery]),
        "ReplayDelivery": ReplayDeliveryResponse(delivery=delivery),
    }
    listed, shown = services.libra("hooks", "list"), services.libra("hooks", "show", "ci")
    assert "disabled" in listed.stdout
    assert "answered 410" in shown.stdout
    deliveries = services.libra("hooks", "deliveries", "--state", "dead")
    assert delivery.id in deliveries.stdout
    assert services.requests[-1].state == DeliveryState.DELIVERY_STATE_DEAD
    assert max(len(line) for each in (listed, shown, deliveries) for line in each.stdout.splitlines()) <= 80
    assert "is due now" in services.libra("hooks", "replay", delivery.id).stdout
    for command in (("list",), ("show", "ci"), ("deliveries", "ci")):
        assert json.loads(services.libra("hooks", *command, "--json").stdout)
