"""TokenService: create, list and revoke tokens."""

from __future__ import annotations

import re
from datetime import UTC, timedelta

import grpc.aio

from libra.core.access import team_scope
from libra.core.errors import Invalid, NotFound
from libra.rpc.access.caller import caller_name
from libra.rpc.access.token import TokenText
from libra.store.access.tokens import TokenCollection
from libra.store.documents.create_time import now
from libra.v1 import token_pb2_grpc
from libra.v1.token_pb2 import (
    CreateTokenRequest,
    CreateTokenResponse,
    ListTokensRequest,
    ListTokensResponse,
    RevokeTokenRequest,
    RevokeTokenResponse,
    Role,
    Token,
)

NAME = re.compile(r"[a-z0-9._-]{1,64}")
MIN_SECONDS, MAX_SECONDS = 1, 10 * 365 * 86_400
"""The shortest and the longest lifetime of a token that expires."""


class TokenService(token_pb2_grpc.TokenServiceServicer):
    """Serves the tokens."""

    def __init__(self, tokens: TokenCollection) -> None:
        self._tokens = tokens

    async def CreateToken(self, request: CreateTokenRequest, context: grpc.aio.ServicerContext) -> CreateTokenResponse:
        """Store a new token, and return its secret, which is not stored."""
        text = TokenText.create()
        token = build_token(request, text.id)
        await self._tokens.insert(token, text.hash())
        return CreateTokenResponse(token=token, secret=text.text())

    async def ListTokens(self, request: ListTokensRequest, context: grpc.aio.ServicerContext) -> ListTokensResponse:
        """Return all tokens, or those of the caller's team, without their secrets."""
        return ListTokensResponse(tokens=await self._tokens.list())

    async def RevokeToken(self, request: RevokeTokenRequest, context: grpc.aio.ServicerContext) -> RevokeTokenResponse:
        """Revoke a token for good."""
        token = await self._tokens.revoke(request.name)
        if token is None:
            names = [token.name for token in await self._tokens.list()]
            raise NotFound.named("token", request.name, names, field="name")
        return RevokeTokenResponse(token=token)


def build_token(request: CreateTokenRequest, token_id: str) -> Token:
    """Return the token that a request asks for; raise Invalid, and PermissionDenied for another team."""
    if not NAME.fullmatch(request.name):
        raise Invalid(
            f"{request.name!r} must have 1 to 64 lower-case letters, digits, dots, underscores and hyphens",
            field="name",
        )
    team = team_scope.owner_of_new(request.team, field="team")
    if request.role == Role.ROLE_UNSPECIFIED or request.role not in Role.values():
        raise Invalid("it must be reader, runner, auditor or admin", field="role")
    created = now()
    token = Token(id=token_id, name=request.name, role=request.role, team=team, creator=caller_name())
    token.create_time.FromDatetime(created)
    if request.HasField("lifetime"):
        if not MIN_SECONDS <= request.lifetime.seconds <= MAX_SECONDS:
            raise Invalid("it must be from a second to ten years", field="lifetime")
        token.expire_time.FromDatetime(created.astimezone(UTC) + timedelta(seconds=request.lifetime.seconds))
    return token
