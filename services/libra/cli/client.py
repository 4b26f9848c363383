"""Calls the services: finds their addresses and gives each command a client."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from libra.cli.param_types import data_folder
from libra.cli.settings import Settings, load
from libra.core.errors import Unavailable
from libra.local import state, topology
from libra.rpc.client import call, channel, stream
from libra.v1.attack_pb2_grpc import AttackServiceStub
from libra.v1.dead_letter_pb2_grpc import DeadLetterServiceStub
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2_grpc import TaskServiceStub

CALL_SECONDS = 30.0
SAMPLE_QUERY_SECONDS = 300.0
"""For queries whose first call loads the contribution of each sample from the verdicts."""

CONNECT_SECONDS = 2.0
MAX_PAGE = 500
"""Entries in one page of a list; `list_all` joins pages."""

SERVED_BY: dict[type, str] = {
    AttackServiceStub: "attack",
    DeadLetterServiceStub: "dispatch",
    GatewayServiceStub: "gateway",
    JudgeServiceStub: "judge",
    ModelServiceStub: "dispatch",
    RankingServiceStub: "ranking",
    RunServiceStub: "dispatch",
    TaskServiceStub: "dispatch",
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
        return await call(getattr(await self._stub(stub), method), request, timeout_seconds)

    async def stream(self, stub: type[Any], method: str, request: Any, *, timeout_seconds: float) -> AsyncIterator[Any]:
        """Yield the replies of a streaming method; raise as `call` does."""
        async for reply in stream(getattr(await self._stub(stub), method), request, timeout_seconds):
            yield reply

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

    async def _stub(self, stub: type[Stub]) -> Stub:
        service = SERVED_BY[stub]
        if service not in self._channels:
            address = self._settings.address(service) or await self._local_address(service)
            self._channels[service] = await self._stack.enter_async_context(channel(address))
        return stub(self._channels[service])  # type: ignore[call-arg]  # a stub takes a channel

    async def _local_address(self, service: str) -> str:
        """Return the address of the service's replicas in the data folder; at least one must accept connections."""
        ports = state.load(self._folder)
        replicas = [replica for name, replica in ports.items() if topology.kind(name) == service]
        if not replicas:
            raise SystemNotRunning(
                f"no system was started in {self._folder}: run `libra up`, or set LIBRA_{service.upper()}_ADDRESS"
            )
        if not any([await _accepts_connections(replica) for replica in replicas]):
            raise SystemNotRunning(
                f"{service} does not run in {self._folder}: run `libra up`; `libra status` shows the state of each part"
            )
        return topology.target(ports, service)


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
