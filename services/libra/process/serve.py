"""Run a service process from its start to its exit status."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import grpc.aio
import structlog

from libra.bus.nats_bus import NatsBus
from libra.core.errors import Unavailable
from libra.core.timeouts import run_until_set
from libra.process import security
from libra.process.access import create_guard
from libra.process.build_metrics import show_build
from libra.process.context import ServiceContext, Wire, Wiring
from libra.process.lifecycle import FAILED, SUCCEEDED, run_process, start_metrics, stop_on_signal
from libra.process.readiness import DependencyCheck, Readiness, write_check
from libra.process.settings import CommonSettings
from libra.process.workers import Workers
from libra.rpc import client
from libra.rpc.server import RpcServer
from libra.store.client import Store
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics, process_registry

log = structlog.get_logger(__name__)

ServiceSettings = TypeVar("ServiceSettings")

RETRY_SECONDS = 1.0
"""Pause between two attempts to reach a dependency."""

CLOSE_SECONDS = 5.0
"""Time limit for closing one connection; the whole shutdown fits into 40 s."""

COLLECT_EVERY_OBJECTS = 50_000
"""New objects between two runs of the cyclic garbage collector. The batches in memory are many objects and none of them
is garbage: with Python's default of 700 the gateway spent a tenth of its time in the collector."""


def serve(name: str, *, settings: type[ServiceSettings], wire: Wire[ServiceSettings]) -> int:
    """Run the service `name` until a signal stops it, and return the exit status, see `run_process`."""

    def run(common: CommonSettings, own: ServiceSettings) -> Awaitable[int]:
        return Process(name, common, own, wire).run()

    return run_process(name, settings=settings, run=run)


class Process(Generic[ServiceSettings]):
    """One service process: its connections, servers and workers."""

    def __init__(self, name: str, common: CommonSettings, own: ServiceSettings, wire: Wire[ServiceSettings]) -> None:
        self._name, self._common, self._own, self._wire = name, common, own, wire
        self._stop = asyncio.Event()
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._registry = process_registry()
        self._credentials = security.client_credentials(common)

    async def run(self) -> int:
        """Start, connect, work, drain, stop; return the exit status."""
        security.require_protection(self._common)
        tls = security.server_tls(self._common)
        stop_on_signal(self._stop)
        context = self._create_context()
        wiring = self._wire(context, self._own)
        metrics_server = start_metrics(self._registry, self._common)
        server = RpcServer(wiring.services, context.metrics, create_guard(self._common, context.store))
        readiness = Readiness(self._name, server, context.metrics, _dependency_checks(context))
        try:
            port = await server.start(
                self._common.listen,
                tls.server_credentials() if tls else None,
                health_address=self._common.health_listen,
            )
            log.info(
                "the process has started",
                action=Action.PROCESS_STARTED,
                grpc_port=port,
                metrics_port=metrics_server.port,
            )
            connected = await self._connect(context, wiring)
            return await self._work(wiring, readiness) if connected else SUCCEEDED
        finally:
            await server.stop()
            await self._close_connections(context)
            metrics_server.stop()
            log.info("the process has stopped", action=Action.PROCESS_STOPPED)

    def _create_context(self) -> ServiceContext:
        metrics = Metrics(self._registry)
        show_build(self._name, metrics)
        store = Store.connect(self._common.mongo_url, self._common.mongo_database)
        store.observe_errors(metrics.dependency_errors.labels(dependency="mongodb").inc)
        bus = NatsBus(
            self._common.nats_url,
            name=self._name,
            stage_bytes=self._common.nats_stage_bytes,
            ack_wait_seconds=self._common.nats_ack_wait_seconds,
        )
        bus.translate_errors.observer = metrics.dependency_errors.labels(dependency="nats").inc
        return ServiceContext(
            store=store,
            bus=bus,
            metrics=metrics,
            channel=self._channel,
        )

    def _channel(self, address: str) -> grpc.aio.Channel:
        if address not in self._channels:
            security.require_encryption(self._common, address)
            self._channels[address] = client.channel(address, self._credentials)
        return self._channels[address]

    async def _connect(self, context: ServiceContext, wiring: Wiring) -> bool:
        """Connect to NATS and MongoDB, however long it takes, and prepare; return False if told to stop before."""

        async def connect() -> None:
            await asyncio.gather(context.bus.open(), _retry_while_unavailable(context.store.ping))
            await _retry_while_unavailable(context.store.check_schema)
            await _retry_while_unavailable(context.bus.ensure)
            await _retry_while_unavailable(wiring.prepare)

        return await run_until_set(self._stop, connect())

    async def _work(self, wiring: Wiring, readiness: Readiness) -> int:
        """Run the workers until told to stop or one of them fails; then drain."""
        tune_garbage_collector()
        workers = Workers(wiring.workers)
        try:
            await run_until_set(self._stop, workers.wait_for_failure(), readiness.watch())
        finally:
            log.info("the process stops", action=Action.PROCESS_STOPPING)
            await readiness.stop()
            all_succeeded = await workers.drain()
        return SUCCEEDED if all_succeeded else FAILED

    async def _close_connections(self, context: ServiceContext) -> None:
        channels = self._channels.values()
        closing = [context.bus.close(), context.store.close(), *(channel.close() for channel in channels)]
        results = await asyncio.gather(*map(_within_close_seconds, closing), return_exceptions=True)
        for error in results:
            if isinstance(error, Exception):
                log.warning("a connection could not be closed", action=Action.PROCESS_STOPPING, reason=repr(error))


def _dependency_checks(context: ServiceContext) -> list[DependencyCheck]:
    store, bus = context.store, context.bus
    return [
        DependencyCheck("MongoDB", store.ping),
        DependencyCheck("NATS", bus.ping),
        write_check("MongoDB, asked to store a document,", store.check_writes),
        write_check("NATS, asked to store a message,", bus.check_writes),
    ]


async def _within_close_seconds(close: Awaitable[None]) -> None:
    async with asyncio.timeout(CLOSE_SECONDS):
        await close


def tune_garbage_collector() -> None:
    """Exclude the objects that exist now, which stay, from garbage collection, and collect the others less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY_OBJECTS)


async def _retry_while_unavailable(step: Callable[[], Awaitable[None]]) -> None:
    """Run the step, and run it again for as long as it raises Unavailable."""
    while True:
        try:
            await step()
        except Unavailable as error:
            log.warning("the process waits", action=Action.PROCESS_WAITS, reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return
