"""Secrets of webhooks: derived, different for each version, and from a key file that is checked."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from libra.core.settings import InvalidSettings
from libra.dispatch.webhooks.signature import WebhookSecrets, read_key_file
from libra.v1.webhook_pb2 import Webhook

HOOK = Webhook(name="ci", id="01A", secret_version=2)


def secrets(key: bytes = b"k" * 32) -> WebhookSecrets:
    async def load() -> bytes:
        return key

    return WebhookSecrets(load)


async def test_a_secret_depends_on_the_key_the_webhook_and_the_version() -> None:
    first = await secrets().derive(HOOK, 1)
    assert first == await secrets().derive(HOOK, 1)
    others = [
        await secrets().derive(HOOK, 2),
        await secrets().derive(Webhook(name="ci", id="01B"), 1),
        await secrets(b"x" * 32).derive(HOOK, 1),
    ]
    assert len({first, *others}) == 4
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32


async def test_each_secret_that_is_valid_verifies_the_headers() -> None:
    made, now = secrets(), datetime.now(UTC)
    hook = Webhook()
    hook.CopyFrom(HOOK)
    hook.rotation_end_time.FromDatetime(datetime(2200, 1, 1, tzinfo=UTC))
    headers = await made.headers(hook, "evt_1", '{"a":"ü"}', now)
    for version in (1, 2):
        assert Verifier(await made.derive(hook, version)).verify('{"a":"ü"}', dict(headers)) == {"a": "ü"}
    assert len((await made.headers(HOOK, "evt_1", "{}", now))["webhook-signature"].split()) == 1


def test_a_key_file_must_be_readable_and_long_enough(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(InvalidSettings, match=r"LIBRA_DISPATCH_WEBHOOK_KEY_FILE=.*cannot be read"):
        read_key_file(str(path))
    path.write_bytes(b"secretsecret\n")
    with pytest.raises(InvalidSettings, match="must have 32 to") as refused:
        read_key_file(str(path))
    assert "secretsecret" not in str(refused.value)
    path.write_bytes(b"s" * 32 + b"\n")
    assert read_key_file(str(path)) == b"s" * 32
