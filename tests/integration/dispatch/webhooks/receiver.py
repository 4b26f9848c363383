"""A receiver of webhooks on a real port, which answers as a test tells it and keeps what it received."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook as Verifier


@dataclass
class Received:
    """One request."""

    headers: dict[str, str]
    body: str

    def verify(self, secret: str) -> Any:
        """Return the CloudEvent; raise WebhookVerificationError unless the secret signed it."""
        return Verifier(secret).verify(self.body, self.headers)

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Gives the statuses in their order, then 204."""

    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    port: int = 0
    retry_after: str = ""
    """Sent with every error."""

    hold: asyncio.Event | None = None
    """While it is not set, requests get no answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.received.append(Received({name.lower(): value for name, value in request.headers.items()}, body))
        status = self.statuses.pop(0) if self.statuses else 204
        if self.hold is not None:
            await self.hold.wait()
        headers = {"Location": self.url} if 300 <= status < 400 else {}
        if status >= 400 and self.retry_after:
            headers["Retry-After"] = self.retry_after
        return web.Response(status=status, headers=headers, text="x" * 1000 if status >= 400 else None)

    async def wait_for(self, count: int, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while len(self.received) < count:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(statuses))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()
