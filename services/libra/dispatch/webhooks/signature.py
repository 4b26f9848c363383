"""Secrets of webhooks, and the signed headers of a delivery (Standard Webhooks 1.0).

No secret is stored. Each is derived from one key of the deployment, the id of the webhook and the version of the
secret, so that whoever reads the database alone cannot sign, if the key comes from a file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from standardwebhooks import Webhook as Signer

from libra.core.settings import InvalidSettings
from libra.dispatch.webhooks.cloud_event import CONTENT_TYPE
from libra.store.continuous.schedules import date_of
from libra.v1.webhook_pb2 import Webhook

PREFIX = "whsec_"
MIN_KEY_BYTES = 32
MAX_KEY_BYTES = 1024
KEY_SETTING = "LIBRA_DISPATCH_WEBHOOK_KEY_FILE"

LoadKey = Callable[[], Awaitable[bytes]]


class WebhookSecrets:
    """Derives secrets and signs with them. Every replica must load the same key, also after a restart."""

    def __init__(self, load_key: LoadKey) -> None:
        self._load_key = load_key
        self._key: bytes | None = None

    async def derive(self, webhook: Webhook, version: int) -> str:
        """Return one version of a webhook's secret, as its receiver needs it."""
        if self._key is None:
            self._key = await self._load_key()
        content = f"libra webhook/{webhook.id}/{version}".encode()
        return PREFIX + base64.b64encode(hmac.digest(self._key, content, hashlib.sha256)).decode()

    async def headers(self, webhook: Webhook, event_id: str, body: str, now: datetime) -> Mapping[str, str]:
        """Return the headers of an attempt at `now`: signed with the previous secret too while it is rotated out."""
        versions = [webhook.secret_version]
        if webhook.HasField("rotation_end_time") and now < date_of(webhook.rotation_end_time):
            versions.append(webhook.secret_version - 1)
        moment = now.astimezone(UTC).replace(microsecond=0)
        secrets = [await self.derive(webhook, version) for version in versions]
        return {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": "libra",
            "webhook-id": event_id,
            "webhook-timestamp": str(round(moment.timestamp())),
            "webhook-signature": " ".join(Signer(secret).sign(event_id, moment, body) for secret in secrets),
        }


def read_key_file(path: str) -> bytes:
    """Return the key in a file; raise InvalidSettings that names the setting and never quotes the key."""
    try:
        key = Path(path).read_bytes().strip()
    except OSError as error:
        raise InvalidSettings(f"{KEY_SETTING}={path!r} cannot be read: {error.strerror}") from None
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise InvalidSettings(f"{KEY_SETTING}={path!r} must have {MIN_KEY_BYTES} to {MAX_KEY_BYTES:,} bytes")
    return key
