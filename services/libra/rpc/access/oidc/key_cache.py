"""Keeps the provider's public keys, and reads them again when a token names an unknown one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from joserfc.jwk import Key

from libra.core.errors import Unauthenticated, Unavailable
from libra.core.http.json_fetch import FetchFailed
from libra.rpc.access.oidc.public_keys import KeyName, parse_key_set
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 10.0
"""The least time between two attempts to read the keys, however many tokens name unknown ones."""

MAX_AGE_SECONDS = 300.0
"""Older keys are read again while they are used: a key that the provider withdraws is refused after this time."""

DISCOVERY_PATH = "/.well-known/openid-configuration"

FetchJson = Callable[[str], Awaitable[Any]]
"""Returns the document at a URL; raises FetchFailed."""


class KeyCache:
    """Has the keys of one provider. While the provider is away, the keys that were read stay valid."""

    def __init__(self, issuer: str, jwks_url: str, fetch: FetchJson) -> None:
        """`jwks_url` is where the keys are; "": where the issuer's discovery document says."""
        self._issuer, self._jwks_url, self._fetch = issuer, jwks_url, fetch
        self._keys: dict[KeyName, Key] = {}
        self._loaded_seconds = self._next_attempt_seconds = float("-inf")
        self._problem = ""
        self._loading: asyncio.Task[None] | None = None

    async def find(self, name: KeyName) -> Key:
        """Return a key. Raises Unauthenticated if the provider has none of this name, Unavailable if it is away."""
        if name not in self._keys:
            # In a task of its own: a caller that goes away does not stop it.
            if loading := self._start_loading():
                await asyncio.shield(loading)
        elif time.monotonic() >= self._loaded_seconds + MAX_AGE_SECONDS:
            self._start_loading()
        if key := self._keys.get(name):
            return key
        if self._problem:
            raise Unavailable(f"the keys of the identity provider cannot be read: {self._problem}; try again")
        raise Unauthenticated("the token is signed with a key that the identity provider does not publish")

    def _start_loading(self) -> asyncio.Task[None] | None:
        """Return the attempt that is going on, or a new one; None if the last attempt was a moment ago."""
        if self._loading is None and time.monotonic() >= self._next_attempt_seconds:
            self._loading = asyncio.create_task(self._load())
        return self._loading

    async def _load(self) -> None:
        try:
            self._keys = await self._fetch_keys()
            self._loaded_seconds, self._problem = time.monotonic(), ""
        except FetchFailed as error:
            self._problem = str(error)
            log.warning(
                "the keys of the identity provider cannot be read", action=Action.KEYS_NOT_READ, reason=self._problem
            )
        finally:
            self._next_attempt_seconds, self._loading = time.monotonic() + REFRESH_SECONDS, None

    async def _fetch_keys(self) -> dict[KeyName, Key]:
        url = self._jwks_url or await self._discover()
        try:
            return parse_key_set(await self._fetch(url))
        except ValueError as error:
            raise FetchFailed(f"{url}: {error}") from None

    async def _discover(self) -> str:
        """Return where the keys are; raise FetchFailed if the discovery document is of another issuer."""
        url = self._issuer.rstrip("/") + DISCOVERY_PATH
        document = await self._fetch(url)
        if not isinstance(document, dict) or document.get("issuer") != self._issuer:
            raise FetchFailed(f"{url} does not name {self._issuer} as its issuer; check LIBRA_OIDC_ISSUER")
        if not isinstance(jwks_url := document.get("jwks_uri"), str):
            raise FetchFailed(f"{url} has no jwks_uri")
        return jwks_url
