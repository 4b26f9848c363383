"""Tells from the credentials of a call who makes it."""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Final

import grpc.aio

from libra.core.errors import Unauthenticated, Unavailable
from libra.core.settings import InvalidSettings
from libra.process.identity_provider import IdentityProvider, identity_provider
from libra.process.security import secret_file
from libra.process.settings import CommonSettings
from libra.rpc.access.caller import Caller, Role
from libra.rpc.access.guard import Guard
from libra.rpc.access.token import TokenText, is_jwt
from libra.rpc.credential_channel import AUTHORIZATION_KEY
from libra.store.access.tokens import TokenCollection, TokenRecord
from libra.store.client import Store
from libra.v1.token_pb2 import Role as TokenRole
from libra.v1.token_pb2 import Token

CACHE_SECONDS = 3.0
"""A revoked token is refused after this time; `libra token revoke` promises 10 s."""

CACHE_ENTRIES = 10_000

RECORD_USE_SECONDS = 60.0
"""The time of the last use is stored at most this often per token and replica."""

BEARER = "Bearer "

ROLES: Final = {
    TokenRole.ROLE_READER: Role.READER,
    TokenRole.ROLE_RUNNER: Role.RUNNER,
    TokenRole.ROLE_AUDITOR: Role.AUDITOR,
    TokenRole.ROLE_ADMIN: Role.ADMIN,
}


def create_guard(settings: CommonSettings, store: Store) -> Guard:
    """Return the guard of the process's calls. Raises InvalidSettings."""
    provider = identity_provider(settings)
    if settings.access == "off":
        return Guard(None, store.audit_log.append)
    if not settings.service_token_file and not settings.tls_service_names:
        raise InvalidSettings(
            "LIBRA_ACCESS=tokens needs LIBRA_SERVICE_TOKEN_FILE or LIBRA_TLS_SERVICE_NAMES, by which the services "
            "recognise each other"
        )
    return Guard(Authenticator(settings, store.tokens, provider).authenticate, store.audit_log.append)


class Authenticator:
    """Knows callers by certificates of services, secrets of two files, stored tokens, and tokens of a provider."""

    def __init__(
        self, settings: CommonSettings, tokens: TokenCollection, provider: IdentityProvider | None = None
    ) -> None:
        self._service_names = frozenset(filter(None, settings.tls_service_names.split(",")))
        self._secret_files = [
            (file, caller)
            for path, name, caller in (
                (settings.service_token_file, "LIBRA_SERVICE_TOKEN_FILE", Caller("file:service", Role.SERVICE)),
                (settings.admin_token_file, "LIBRA_ADMIN_TOKEN_FILE", Caller("file:admin", Role.ADMIN)),
            )
            if (file := secret_file(path, name))
        ]
        self._tokens, self._provider = TokenCache(tokens), provider

    async def authenticate(self, context: grpc.aio.ServicerContext) -> Caller:
        """Return who calls; raise Unauthenticated for a call without valid credentials."""
        secret = bearer_secret(context)
        if secret is None:
            return self._service_by_certificate(context)
        for file, caller in self._secret_files:
            if file.contains(secret):
                return caller
        if self._provider and is_jwt(secret):
            return await self._provider.authenticate(secret)
        text = TokenText.parse(secret)
        record = await self._tokens.find(text.id) if text else None
        if text is None or record is None or not text.has_hash(record.hash):
            raise Unauthenticated("the token is unknown; check LIBRA_TOKEN, or ask an administrator for a new token")
        require_valid(record.token)
        await self._tokens.record_use(text.id)
        return Caller(f"token:{record.token.name}", ROLES[record.token.role], record.token.team)

    def _service_by_certificate(self, context: grpc.aio.ServicerContext) -> Caller:
        names = {value.decode(errors="replace") for value in context.peer_identities() or ()}
        if known := sorted(names & self._service_names):
            return Caller(f"certificate:{known[0]}", Role.SERVICE)
        raise Unauthenticated("the call has no token; set LIBRA_TOKEN or LIBRA_TOKEN_FILE")


class TokenCache:
    """Keeps tokens for seconds, so that a call takes no query."""

    def __init__(self, tokens: TokenCollection) -> None:
        self._tokens = tokens
        self._records: OrderedDict[str, tuple[float, TokenRecord | None]] = OrderedDict()
        self._used_seconds: dict[str, float] = {}

    async def find(self, token_id: str) -> TokenRecord | None:
        """Return a token as it was at most CACHE_SECONDS ago; None if it is unknown."""
        loaded_seconds, record = self._records.get(token_id, (None, None))
        if loaded_seconds is not None and time.monotonic() < loaded_seconds + CACHE_SECONDS:
            return record
        started_seconds = time.monotonic()
        record = await self._tokens.find(token_id)
        self._records[token_id] = (started_seconds, record)
        self._records.move_to_end(token_id)
        while len(self._records) > CACHE_ENTRIES:
            self._records.popitem(last=False)
        return record

    async def record_use(self, token_id: str) -> None:
        """Store that a token is used, unless this was stored within the last minute."""
        now_seconds = time.monotonic()
        if now_seconds < self._used_seconds.get(token_id, -RECORD_USE_SECONDS) + RECORD_USE_SECONDS:
            return
        self._used_seconds[token_id] = now_seconds
        with contextlib.suppress(Unavailable):  # the call does not depend on it
            await self._tokens.record_use(token_id, datetime.now(UTC))


def bearer_secret(context: grpc.aio.ServicerContext) -> str | None:
    """Return the secret that a call sends; None if it sends none. Raises Unauthenticated for any other header."""
    values = [value for key, value in context.invocation_metadata() or () if key == AUTHORIZATION_KEY]
    if not values:
        return None
    if len(values) > 1 or not isinstance(values[0], str) or not values[0].startswith(BEARER):
        raise Unauthenticated("the authorization header must be one, in the form `Bearer TOKEN`")
    return values[0].removeprefix(BEARER).strip()


def require_valid(token: Token) -> None:
    """Raise Unauthenticated if the token is revoked or expired."""
    if token.HasField("revoke_time"):
        raise Unauthenticated(f"the token {token.name} was revoked")
    if token.HasField("expire_time") and token.expire_time.ToDatetime(tzinfo=UTC) <= datetime.now(UTC):
        raise Unauthenticated(f"the token {token.name} has expired; ask an administrator for a new one")
