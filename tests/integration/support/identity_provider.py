"""A small OpenID Connect provider on this machine, with real keys."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

ALGORITHMS = ["RS256", "PS384", "ES256", "ES512", "Ed25519", "EdDSA"]


@dataclass
class Provider:
    """Serves its discovery document and its keys, and signs tokens."""

    issuer: str = ""
    keys: dict[str, Key] = field(default_factory=dict)
    """By kid."""

    fetches: int = 0
    """Number of reads of the keys."""

    status: int = 200
    body: bytes | None = None
    """Sent in place of the keys."""

    is_slow: bool = False
    discovered_issuer: str = ""
    """The issuer in the discovery document, if it is another one."""

    def add_key(self, kid: str, key: Key | None = None) -> None:
        self.keys[kid] = key or ECKey.generate_key("P-256")

    def token(self, kid: str = "one", algorithm: str = "ES256", /, **claims: Any) -> str:
        return self.sign({"alg": algorithm, "kid": kid}, self.keys[kid], **claims)

    def sign(self, header: dict[str, Any], key: Key | None, **claims: Any) -> str:
        """Sign a valid token, except for the given claims; one of None is left out."""
        now = int(time.time())
        valid = {"iss": self.issuer, "aud": "libra", "sub": "alice", "iat": now, "exp": now + 300, "groups": ["ml"]}
        payload = {name: value for name, value in (valid | claims).items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[str(header["alg"])], strict_check_header=False)
        return jws.serialize_compact(header, json.dumps(payload).encode(), key, registry=registry)

    async def _discover(self, _: web.Request) -> web.Response:
        issuer = self.discovered_issuer or self.issuer
        return web.json_response({"issuer": issuer, "jwks_uri": f"{self.issuer}/keys"})

    async def _serve_keys(self, _: web.Request) -> web.StreamResponse:
        self.fetches += 1
        if self.is_slow:
            await asyncio.sleep(60)
        if self.body is not None:
            return web.Response(body=self.body, status=self.status)
        entries = [{**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, key in self.keys.items()]
        return web.json_response({"keys": entries}, status=self.status)

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/.well-known/openid-configuration", self._discover)
        application.router.add_get("/keys", self._serve_keys)
        return application


@asynccontextmanager
async def serving(provider: Provider, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Provider]:
    """Serve until the block ends."""
    runner = web.AppRunner(provider.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
    await site.start()
    provider.issuer = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()


def rsa_key(bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits)
