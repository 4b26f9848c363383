"""Calls the services that the pages read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Self

import grpc.aio

from libra.core.errors import CallerError, Unavailable
from libra.rpc.client import call, channel, stream
from libra.rpc.credential_channel import Credentials
from libra.rpc.errors import RemoteFault
from libra.v1.annotation_pb2_grpc import AnnotationServiceStub
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.v1.attack_pb2_grpc import AttackServiceStub
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.label_pb2_grpc import LabelServiceStub
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.round_pb2_grpc import RoundServiceStub
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2_grpc import TaskServiceStub
from libra.web.settings import Settings
from libra.web.unavailable import Outages, Part, ServiceAway

SERVED_BY: dict[type, str] = {
    AnnotationServiceStub: "ranking",
    ArenaServiceStub: "arena",
    AttackServiceStub: "attack",
    GatewayServiceStub: "gateway",
    JudgeServiceStub: "judge",
    LabelServiceStub: "ranking",
    ModelServiceStub: "dispatch",
    RankingServiceStub: "ranking",
    RoundServiceStub: "dispatch",
    RunServiceStub: "dispatch",
    TaskServiceStub: "dispatch",
}
"""The process that serves each gRPC service."""


class Backend:
    """One channel to each service, and calls with deadlines."""

    def __init__(
        self, addresses: Mapping[str, str], call_seconds: float, credentials: Credentials | None = None
    ) -> None:
        self._addresses, self._call_seconds, self._credentials = addresses, call_seconds, credentials
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._outages = Outages()

    @classmethod
    def create(cls, settings: Settings, credentials: Credentials | None = None) -> Self:
        """Return the backend with the addresses of the settings; it connects at the first call."""
        services = ("attack", "dispatch", "gateway", "judge", "ranking", "arena")
        addresses = {name: getattr(settings, f"{name}_address") for name in services}
        return cls(addresses, settings.call_seconds, credentials)

    @property
    def addresses(self) -> Sequence[str]:
        """The addresses of the services."""
        return [*self._addresses.values()]

    async def call(self, stub: type[Any], method: str, request: Any, *, timeout_seconds: float | None = None) -> Any:
        """Return the reply to `request`. Raises a CallerError, or ServiceAway without a reply."""
        service = SERVED_BY[stub]
        found = getattr(stub(self._channel(service)), method)
        try:
            reply = await call(found, request, timeout_seconds or self._call_seconds)
        except CallerError:
            self._outages.on_reply(service)
            raise
        except (Unavailable, RemoteFault) as error:
            raise ServiceAway(self._outages.on_failure(service, str(error))) from error
        self._outages.on_reply(service)
        return reply

    async def attempt(
        self, stub: type[Any], method: str, request: Any, *, timeout_seconds: float | None = None
    ) -> Part[Any]:
        """Return the reply as a part of a page that can also be shown without it. Raises a CallerError."""
        try:
            return Part(await self.call(stub, method, request, timeout_seconds=timeout_seconds))
        except ServiceAway as error:
            return Part(absence=error.absence)

    async def stream(
        self, stub: type[Any], method: str, request: Any, *, timeout_seconds: float | None = None
    ) -> AsyncGenerator[Any, None]:
        """Yield the replies of a streaming method; raises as `call` does."""
        service = SERVED_BY[stub]
        found = getattr(stub(self._channel(service)), method)
        try:
            async for reply in stream(found, request, timeout_seconds):
                self._outages.on_reply(service)
                yield reply
        except (Unavailable, RemoteFault) as error:
            raise ServiceAway(self._outages.on_failure(service, str(error))) from error

    async def list_all(self, stub: type[Any], method: str, request: Any, items: str, *, limit: int) -> list[Any]:
        """Return the entries of the field `items` on all pages of a list, at most `limit`."""
        found: list[Any] = []
        while len(found) < limit:
            page = await self.call(stub, method, request)
            found.extend(getattr(page, items))
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
        return found[:limit]

    async def close(self) -> None:
        """Close the channels."""
        channels, self._channels = self._channels, {}
        await asyncio.gather(*(each.close() for each in channels.values()))

    def _channel(self, service: str) -> grpc.aio.Channel:
        if service not in self._channels:
            self._channels[service] = channel(self._addresses[service], self._credentials)
        return self._channels[service]
