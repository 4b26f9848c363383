"""Every service with its workers, its gRPC server and its guard, on real servers and in one process: a fast start."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grpc.aio
from prometheus_client import CollectorRegistry

from libra.bus.nats_bus import NatsBus
from libra.local.servers import free_port
from libra.process import security
from libra.process.access import create_guard
from libra.process.context import ServiceContext
from libra.process.settings import load
from libra.process.workers import Workers
from libra.rpc.client import call, channel, stream
from libra.rpc.credential_channel import Credentials
from libra.rpc.server import RpcServer
from libra.store.client import Store
from libra.telemetry.metrics import Metrics

SERVICES = ("dispatch", "attack", "gateway", "judge", "ranking", "arena")
ADMIN_SECRET = "planted-admin-secret-0123456789abcdef"
SERVICE_SECRET = "planted-service-secret-0123456789abcdef"
SECONDS = 60.0

SERVED_BY = {
    "AnnotationService": "ranking",
    "ArenaService": "arena",
    "AttackService": "attack",
    "GateService": "ranking",
    "GatewayService": "gateway",
    "JudgeService": "judge",
    "LabelService": "ranking",
    "RankingService": "ranking",
}
"""The others are served by dispatch."""


@dataclass
class Services:
    """The addresses of running services."""

    addresses: Mapping[str, str]

    @asynccontextmanager
    async def client(self, secret: str) -> AsyncIterator[Client]:
        """Yield a client that shows a secret."""
        async with AsyncExitStack() as stack:
            credentials = Credentials(token=lambda: secret)
            channels = {
                name: await stack.enter_async_context(channel(address, credentials))
                for name, address in self.addresses.items()
            }
            yield Client(channels)


@dataclass
class Client:
    """Calls methods by their full names, "libra.v1.RunService/GetRun"."""

    channels: Mapping[str, grpc.aio.Channel]

    async def call(self, method: str, request: Any) -> Any:
        """Return the reply, of a stream the first one or None. Raises the errors of `libra.rpc.client`."""
        service, _, name = method.removeprefix("libra.v1.").partition("/")
        bound = getattr(stub_class(service)(self.channels[SERVED_BY.get(service, "dispatch")]), name)
        if is_streaming(service, name):
            async for reply in stream(bound, request, SECONDS):
                return reply
            return None
        return await call(bound, request, SECONDS)


@cache
def modules() -> dict[str, tuple[Any, Any]]:
    """Return the generated modules of each service."""
    found = dict[str, tuple[Any, Any]]()
    for file in sorted(Path(importlib.import_module("libra.v1").__path__[0]).glob("*_pb2_grpc.py")):
        messages = importlib.import_module(f"libra.v1.{file.stem.removesuffix('_grpc')}")
        found |= {
            name: (messages, importlib.import_module(f"libra.v1.{file.stem}"))
            for name in messages.DESCRIPTOR.services_by_name
        }
    return found


def stub_class(service: str) -> Any:
    return getattr(modules()[service][1], f"{service}Stub")


def is_streaming(service: str, method: str) -> bool:
    """Return whether a method sends a stream of replies."""
    return bool(modules()[service][0].DESCRIPTOR.services_by_name[service].methods_by_name[method].server_streaming)


@asynccontextmanager
async def all_services(
    nats_url: str, mongo_url: str, database: str, folder: Path, **variables: str
) -> AsyncIterator[Services]:
    """Run all services with LIBRA_ACCESS=tokens until the block ends."""
    addresses = {name: f"127.0.0.1:{free_port()}" for name in SERVICES}
    environ = {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_url,
        "LIBRA_MONGO_DATABASE": database,
        "LIBRA_ACCESS": "tokens",
        "LIBRA_SERVICE_TOKEN_FILE": write_secret(folder / "service", SERVICE_SECRET),
        "LIBRA_ADMIN_TOKEN_FILE": write_secret(folder / "admin", ADMIN_SECRET),
        **variables,
    }
    for name, address in addresses.items():
        environ[f"LIBRA_{name.upper()}_LISTEN"] = address
        environ |= {f"LIBRA_{other.upper()}_{name.upper()}_ADDRESS": address for other in SERVICES}
    async with AsyncExitStack() as stack:
        for name in SERVICES:
            await stack.enter_async_context(running(name, environ))
        yield Services(addresses)


@asynccontextmanager
async def running(name: str, environ: Mapping[str, str]) -> AsyncIterator[None]:
    """Run one service."""
    module = importlib.import_module(f"libra.{name}.__main__")
    common, own = load(name, module.Settings, environ)
    credentials, channels = security.client_credentials(common), dict[str, grpc.aio.Channel]()

    def open_channel(address: str) -> grpc.aio.Channel:
        if address not in channels:
            channels[address] = channel(address, credentials)
        return channels[address]

    store = Store.connect(common.mongo_url, common.mongo_database)
    bus = NatsBus(common.nats_url, name=name, stage_bytes=common.nats_stage_bytes)
    context = ServiceContext(store=store, bus=bus, metrics=Metrics(CollectorRegistry()), channel=open_channel)
    wiring = module.wire(context, own)
    server = RpcServer(wiring.services, context.metrics, create_guard(common, store))
    await server.start(common.listen)
    await bus.open()
    await bus.ensure()
    await wiring.prepare()
    workers = Workers(wiring.workers)
    await server.set_ready(ready=True)
    try:
        yield
    finally:
        await server.stop(0)
        await workers.drain()
        await asyncio.gather(bus.close(), store.close(), *(each.close() for each in channels.values()))


def write_secret(file: Path, secret: str) -> str:
    file.write_text(secret)
    file.chmod(0o600)
    return str(file)
