"""Calls the services: finds their addresses and gives each command a client."""

from __future__ import annotations

import asyncio
import functools
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from libra.cli.credentials import client_credentials
from libra.cli.param_types import data_folder
from libra.cli.settings import Settings, load
from libra.core.errors import Unavailable
from libra.local import state, topology
from libra.local.access import protection
from libra.rpc.client import call, channel, stream
from libra.v1.annotation_pb2_grpc import AnnotationServiceStub
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.v1.attack_pb2_grpc import AttackServiceStub
from libra.v1.audit_log_pb2_grpc import AuditLogServiceStub
from libra.v1.dead_letter_pb2_grpc import DeadLetterServiceStub
from libra.v1.gate_pb2_grpc import GateServiceStub
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.label_pb2_grpc import LabelServiceStub
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.round_pb2_grpc import RoundServiceStub
from libra.v1.run_control_pb2_grpc import RunControlServiceStub
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub
from libra.v1.task_pb2_grpc import TaskServiceStub
from libra.v1.token_pb2_grpc import TokenServiceStub
from libra.v1.webhook_pb2_grpc import WebhookServiceStub

CALL_SECONDS = 30.0
SAMPLE_QUERY_SECONDS = 300.0
"""Deadline of queries whose first call loads the contribution of each sample from the verdicts."""

CONNECT_SECONDS = 2.0
MAX_PAGE = 500
"""Entries in one page of a list; `list_all` joins pages."""

SERVED_BY: dict[type, str] = {
    ArenaServiceStub: "arena",
    AttackServiceStub: "attack",
    AuditLogServiceStub: "dispatch",
    DeadLetterServiceStub: "dispatch",
    GateServiceStub: "ranking",
    GatewayServiceStub: "gateway",
    JudgeServiceStub: "judge",
    LabelServiceStub: "ranking",
    AnnotationServiceStub: "ranking",
    ModelServiceStub: "dispatch",
    RankingServiceStub: "ranking",
    RoundServiceStub: "dispatch",
    RunControlServiceStub: "dispatch",
    RunServiceStub: "dispatch",
    ScheduleServiceStub: "dispatch",
    TaskServiceStub: "dispatch",
    TokenServiceStub: "dispatch",
    WebhookServiceStub: "dispatch",
}

P = ParamSpec("P")
Stub = TypeVar("Stub")


class SystemNotRunning(Unavailable):
    """The service does not run in the data folder, and the environment names no other address."""


class ServiceClient:
    """Calls any service; opens a channel at the first call to a service."""

    def __init__(self, folder: Path, settings: Settings, stack: AsyncExitStack) -> None:
        self._folder, self._settings, self._stack = folder, settings, stack
        self._channels: dict[str, Any] = {}

    async def call(self, stub: type[Any], method: str, request: Any, *, timeout_seconds: float = CALL_SECONDS) -> Any:
        """Return the reply to `request`; raise a CallerError, SystemNotRunning or another Unavailable."""
        found = await self._stub(stub)
        try:
            return await call(getattr(found, method), request, timeout_seconds)
        except Unavailable as error:
            raise await self._with_reason(SERVED_BY[stub], error) from error

    async def stream(self, stub: type[Any], method: str, request: Any, *, timeout_seconds: float) -> AsyncIterator[Any]:
        """Yield the replies of a streaming method; raise as `call` does."""
        found = await self._stub(stub)
        try:
            async for reply in stream(getattr(found, method), request, timeout_seconds):
                yield reply
        except Unavailable as error:
            raise await self._with_reason(SERVED_BY[stub], error) from error

    async def list_all(self, stub: type[Any], method: str, request: Any, items: str, *, limit: int = 0) -> Any:
        """Return the pages of a list method as one reply.

        `items` names the list field. A `limit` above 0 keeps only that many entries. `next_page_token` is empty only if
        there are no further pages.
        """
        merged = None
        while merged is None or (request.page_token and not 0 < limit <= len(getattr(merged, items))):
            page = await self.call(stub, method, request)
            request.page_token = page.next_page_token
            if merged is None:
                merged = page
            else:
                merged.MergeFrom(page)
                merged.next_page_token = page.next_page_token
        if limit:
            del getattr(merged, items)[limit:]
        return merged

    async def _with_reason(self, service: str, error: Unavailable) -> Unavailable:
        """Return the error, or one that says why the service on this machine is not ready, if it says so itself."""
        if self._settings.address(service):
            return error
        health, local = importlib.import_module("libra.local.health"), protection.find(self._folder)
        for name, ports in state.load(self._folder).items():
            if topology.service_of(name) == service:
                reason = await asyncio.to_thread(
                    health.not_ready_reason, ports.main, local.authorities if local else None
                )
                if reason:
                    return Unavailable(f"{name} is not ready: {reason}; `libra status` shows what stands still")
        return error

    async def _stub(self, stub: type[Stub]) -> Stub:
        service = SERVED_BY[stub]
        if service not in self._channels:
            address, local = self._settings.address(service), None
            if not address:
                address, local = await self._local_address(service), protection.find(self._folder)
            credentials = client_credentials(self._settings, address, local)
            self._channels[service] = await self._stack.enter_async_context(channel(address, credentials))
        return stub(self._channels[service])  # type: ignore[call-arg]  # a stub takes a channel

    async def _local_address(self, service: str) -> str:
        """Return the address of the service's replicas in the data folder; at least one must accept connections."""
        ports = state.load(self._folder)
        replicas = [replica for name, replica in ports.items() if topology.service_of(name) == service]
        if not replicas:
            raise SystemNotRunning(
                f"no system was started in {self._folder}: run `libra up`, or set LIBRA_{service.upper()}_ADDRESS"
            )
        if not any([await _accepts_connections(replica) for replica in replicas]):
            raise SystemNotRunning(
                f"{service} does not run in {self._folder}: run `libra up`; `libra status` shows the state of each part"
            )
        return topology.grpc_target(ports, service)


async def _accepts_connections(ports: topology.Ports) -> bool:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(topology.HOST, ports.main)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def with_client(command: Callable[Concatenate[ServiceClient, P], Awaitable[None]]) -> Callable[P, None]:
    """Turn a coroutine that takes a client first into a plain function for click, and close the client at its end."""

    @functools.wraps(command)
    def run_command(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(_run(data_folder(), lambda client: command(client, *args, **kwargs)))

    return run_command


async def _run(folder: Path, command: Callable[[ServiceClient], Awaitable[None]]) -> None:
    async with AsyncExitStack() as stack:
        await command(ServiceClient(folder, load(), stack))
