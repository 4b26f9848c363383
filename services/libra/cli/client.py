"""Reach the services: where they are, and a command that speaks to them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from libra.cli import settings
from libra.errors import Unavailable
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

ANSWER_SECONDS = 30.0
CONNECT_SECONDS = 2.0
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


class NotUp(Unavailable):
    """No system runs in the data folder, and the environment names no other."""


class Client:
    """Stubs of the services, on channels that are opened when they are first needed."""

    def __init__(self, folder: Path, told: settings.Settings, stack: AsyncExitStack) -> None:
        self._folder, self._told, self._stack = folder, told, stack
        self._channels: dict[str, Any] = {}

    async def call(self, stub: type[Any], method: str, request: Any, *, seconds: float = ANSWER_SECONDS) -> Any:
        """Return the answer of `stub`'s `method`; raise a CallerError, NotUp or another Unavailable."""
        return await call(getattr(await self._stub(stub), method), request, seconds)

    async def stream(self, stub: type[Any], method: str, request: Any, *, seconds: float) -> AsyncIterator[Any]:
        """Yield the answers of `stub`'s `method`."""
        async for answer in stream(getattr(await self._stub(stub), method), request, seconds):
            yield answer

    async def pages(self, stub: type[Any], method: str, request: Any, items: str, *, limit: int = 0) -> Any:
        """Return the answers of a list method as one: all of the field `items`, or the first `limit` of them."""
        whole = None
        while whole is None or (request.page_token and not 0 < limit <= len(getattr(whole, items))):
            page = await self.call(stub, method, request)
            request.page_token = page.next_page_token
            if whole is None:
                whole = page
            else:
                whole.MergeFrom(page)
                whole.next_page_token = page.next_page_token
        if limit:
            del getattr(whole, items)[limit:]
        return whole

    async def _stub(self, stub: type[Stub]) -> Stub:
        service = SERVED_BY[stub]
        if service not in self._channels:
            address = self._told.address(service) or await self._local_address(service)
            self._channels[service] = await self._stack.enter_async_context(channel(address))
        return stub(self._channels[service])  # type: ignore[call-arg]  # a stub takes a channel

    async def _local_address(self, service: str) -> str:
        """Return where the service's replicas are in the data folder, once one of them takes connections."""
        kept = state.load(self._folder)
        replicas = [ports for name, ports in kept.items() if topology.kind(name) == service]
        if not replicas:
            raise NotUp(
                f"nothing was started in {self._folder}: run `libra up`, or set LIBRA_{service.upper()}_ADDRESS"
            )
        if not any([await _listening(ports) for ports in replicas]):
            raise NotUp(f"{service} is not up in {self._folder}: run `libra up` (`libra status` shows what is)")
        return topology.target(kept, service)


async def _listening(ports: topology.Ports) -> bool:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(topology.HOST, ports.main)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def speaks(command: Callable[Concatenate[Client, P], Awaitable[None]]) -> Callable[P, None]:
    """Make a click command of a coroutine whose first argument is a client."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        folder = click.get_current_context().find_object(Path) or settings.load().data
        asyncio.run(_with_client(folder, lambda client: command(client, *args, **kwargs)))

    return run


async def _with_client(folder: Path, command: Callable[[Client], Awaitable[None]]) -> None:
    async with AsyncExitStack() as stack:
        await command(Client(folder, settings.load(), stack))
