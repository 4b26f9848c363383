"""A service account of Google's with a token endpoint of its own, on a free loopback port."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from types import TracebackType
from typing import Self

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


@cache
def private_key() -> str:
    """Return a new private key, the same within a process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(PEM, PKCS8, serialization.NoEncryption()).decode()


@dataclass
class TokenEndpoint:
    """Issues the tokens "ya29.test-token-1", "ya29.test-token-2" and so on, or answers with a status."""

    status: int = HTTPStatus.OK
    lifetime_seconds: int = 3600
    requests: list[str] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def account(self) -> str:
        """The JSON of the account, on one line."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "p",
                "private_key_id": "1",
                "private_key": private_key(),
                "client_email": "libra@p.iam.gserviceaccount.com",
                "token_uri": f"http://127.0.0.1:{self.port}/token",
            }
        )

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/token", self._issue)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _issue(self, request: web.Request) -> web.Response:
        self.requests.append(await request.text())
        if self.status != HTTPStatus.OK:
            return web.json_response({"error": "invalid_grant", "error_description": "no"}, status=self.status)
        token = f"ya29.test-token-{len(self.requests)}"
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime_seconds})
