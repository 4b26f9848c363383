"""Run a service process from its start to its exit status."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import grpc.aio
import structlog
import uvloop

from libra.bus.nats_bus import NatsBus
from libra.core.errors import LibraError, Unavailable
from libra.core.settings import InvalidSettings
from libra.core.timeouts import run_until_set
from libra.process.context import ServiceContext, Wire, Wiring
from libra.process.readiness import DependencyCheck, Readiness
from libra.process.settings import CommonSettings, list_unknown_variables, load
from libra.process.workers import Workers
from libra.rpc import client
from libra.rpc.server import RpcServer
from libra.store.client import Store
from libra.telemetry import logs, tracing
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics, process_registry
from libra.telemetry.metrics_server import MetricsServer

log = structlog.get_logger(__name__)

ServiceSettings = TypeVar("ServiceSettings")

SUCCEEDED, FAILED, BAD_SETTINGS = 0, 1, 2
"""Exit statuses."""

RETRY_SECONDS = 1.0
"""Pause between two attempts to reach a dependency."""

CLOSE_SECONDS = 5.0
"""Time limit for closing one connection; the whole shutdown fits into 40 s."""

COLLECT_EVERY_OBJECTS = 50_000
"""New objects between two runs of the cyclic garbage collector. The batches in memory are many objects and none of them
is garbage: with Python's default of 700 the gateway spent a tenth of its time in the collector."""

EXIT_SECONDS = 3.0
"""How long threads may delay the exit of the process."""


def serve(name: str, *, settings: type[ServiceSettings], wire: Wire[ServiceSettings]) -> int:
    """Run the service `name` until a signal stops it, and return the exit status.

    0 after SIGTERM or SIGINT, 1 if a worker failed on a bug or the process cannot listen on an address, 2 for bad
    settings. A second signal kills the process.
    """
    try:
        common, own = load(name, settings)
    except InvalidSettings as error:
        return _print_bad_settings(name, error)
    logs.setup(name, common.log_level, common.log_format)
    for warning in list_unknown_variables(name, settings):
        log.warning(warning, action=Action.SETTING_UNKNOWN)
    status = _run(name, common, own, wire)
    # The interpreter waits for every thread, and one of Motor's may wait a minute for a suspended mongod.
    forced_exit = threading.Timer(EXIT_SECONDS, os._exit, [status])
    forced_exit.daemon = True
    forced_exit.start()
    return status


def _run(name: str, common: CommonSettings, own: ServiceSettings, wire: Wire[ServiceSettings]) -> int:
    """Run the process and return its exit status."""
    flush = tracing.setup(name, common.otlp_endpoint)
    try:
        return uvloop.run(Process(name, common, own, wire).run())
    except InvalidSettings as error:
        return _print_bad_settings(name, error)
    except (LibraError, OSError) as error:
        log.error("the process cannot continue", action=Action.PROCESS_STOPPED, reason=str(error))  # noqa: TRY400
        return FAILED
    except Exception:
        log.exception("the process failed on a bug", action=Action.PROCESS_STOPPED)
        return FAILED
    finally:
        flush()


def _print_bad_settings(name: str, error: InvalidSettings) -> int:
    sys.stderr.write(f"libra {name}: {error}\n")
    return BAD_SETTINGS


class Process(Generic[ServiceSettings]):
    """One service process: its connections, servers and workers."""

    def __init__(self, name: str, common: CommonSettings, own: ServiceSettings, wire: Wire[ServiceSettings]) -> None:
        self._name, self._common, self._own, self._wire = name, common, own, wire
        self._stop = asyncio.Event()
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._registry = process_registry()

    async def run(self) -> int:
        """Start, connect, work, drain, stop; return the exit status."""
        self._install_signal_handlers()
        context = self._create_context()
        wiring = self._wire(context, self._own)
        metrics_server = self._start_metrics()
        server = RpcServer(wiring.services, context.metrics)
        checks = [DependencyCheck("MongoDB", context.store.ping), DependencyCheck("NATS", context.bus.ping)]
        readiness = Readiness(self._name, server, context.metrics, checks)
        try:
            port = await server.start(self._common.listen)
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

    def _install_signal_handlers(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        """Start the shutdown, and restore the default handlers: the next signal kills the process."""
        self._stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    def _create_context(self) -> ServiceContext:
        return ServiceContext(
            store=Store.connect(self._common.mongo_url, self._common.mongo_database),
            bus=NatsBus(
                self._common.nats_url,
                name=self._name,
                stage_bytes=self._common.nats_stage_bytes,
                ack_wait_seconds=self._common.nats_ack_wait_seconds,
            ),
            metrics=Metrics(self._registry),
            channel=self._channel,
        )

    def _channel(self, address: str) -> grpc.aio.Channel:
        if address not in self._channels:
            self._channels[address] = client.channel(address)
        return self._channels[address]

    def _start_metrics(self) -> MetricsServer:
        host, _, port = self._common.metrics_listen.rpartition(":")
        try:
            return MetricsServer.start(self._registry, host.strip("[]"), int(port))
        except OSError as error:
            raise OSError(f"cannot serve metrics on {self._common.metrics_listen}: {error}") from error

    async def _connect(self, context: ServiceContext, wiring: Wiring) -> bool:
        """Connect to NATS and MongoDB, however long it takes, and prepare; return False if told to stop before."""

        async def connect() -> None:
            await asyncio.gather(context.bus.open(), _retry_while_unavailable(context.store.ping))
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
