"""The story of a process."""

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
from libra.errors import LibraError, Unavailable
from libra.process.context import ServiceContext, Wire, Wiring
from libra.process.readiness import Pulse, Readiness
from libra.process.settings import CommonSettings, load
from libra.process.workers import Workers
from libra.rpc import client
from libra.rpc.server import Server
from libra.settings import BadSettings
from libra.store.client import Store
from libra.telemetry import logs, tracing
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics, process_registry
from libra.telemetry.metrics_server import MetricsServer

log = structlog.get_logger(__name__)

Own = TypeVar("Own")

ENDED_WELL, FAILED, BAD_SETTINGS = 0, 1, 2
"""Exit statuses."""

RETRY_SECONDS = 1.0
"""Between two tries to reach what is not there yet."""

CLOSE_SECONDS = 5.0
"""Letting go of a connection takes no longer; all of a process' end fits into 40 s."""

COLLECT_EVERY_OBJECTS = 50_000
"""New objects between two searches for garbage in a ring. Batches in hand are many objects, and none of them garbage: with
Python's own 700 the gateway spent a tenth of its time on looking through them."""

LEAVE_SECONDS = 3.0
"""After this, what still hangs in a thread is left to itself."""


def serve(name: str, *, settings: type[Own], wire: Wire[Own]) -> int:
    """Be the service `name` until a signal ends it, and return the exit status.

    0 after SIGTERM or SIGINT, 1 if a worker failed on a bug or an address cannot be listened on, 2 for bad settings. A second
    signal ends the process at once.
    """
    try:
        shared, own = load(name, settings)
    except BadSettings as error:
        return _told(name, error)
    logs.setup(name, shared.log_level, shared.log_format)
    status = _lived(name, shared, own, wire)
    # The interpreter waits for every thread, and one of Motor's may wait a minute for a mongod that is frozen.
    leave = threading.Timer(LEAVE_SECONDS, os._exit, [status])
    leave.daemon = True
    leave.start()
    return status


def _lived(name: str, shared: CommonSettings, own: Own, wire: Wire[Own]) -> int:
    """Live from start to end, and return the exit status for how that ended."""
    flush = tracing.setup(name, shared.otlp_endpoint)
    try:
        return uvloop.run(Process(name, shared, own, wire).live())
    except BadSettings as error:
        return _told(name, error)
    except (LibraError, OSError) as error:
        log.error("the process cannot go on", action=Action.PROCESS_STOPPED, reason=str(error))  # noqa: TRY400
        return FAILED
    except Exception:
        log.exception("the process failed on a bug", action=Action.PROCESS_STOPPED)
        return FAILED
    finally:
        flush()


def _told(name: str, error: BadSettings) -> int:
    sys.stderr.write(f"libra {name}: {error}\n")
    return BAD_SETTINGS


class Process(Generic[Own]):
    """Everything the process has, from its start to its end."""

    def __init__(self, name: str, shared: CommonSettings, own: Own, wire: Wire[Own]) -> None:
        self._name, self._shared, self._own, self._wire = name, shared, own, wire
        self._told_to_stop = asyncio.Event()
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._registry = process_registry()

    async def live(self) -> int:
        """Start, connect, work, drain, stop; return the exit status."""
        self._heed_signals()
        parts = self._parts()
        wiring = self._wire(parts, self._own)
        listener = self._start_metrics()
        server = Server(wiring.services, parts.metrics)
        pulses = [Pulse("MongoDB", parts.store.ping), Pulse("NATS", parts.bus.ping)]
        readiness = Readiness(self._name, server, parts.metrics, pulses)
        try:
            port = await server.start(self._shared.listen)
            log.info(
                "the process has started", action=Action.PROCESS_STARTED, grpc_port=port, metrics_port=listener.port
            )
            connected = await self._connect(parts, wiring)
            return await self._work(wiring, readiness) if connected else ENDED_WELL
        finally:
            await server.stop()
            await self._let_go(parts)
            listener.stop()
            log.info("the process has stopped", action=Action.PROCESS_STOPPED)

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._heed)

    def _heed(self) -> None:
        """Begin to stop, and give the signals back their own meaning: the next one ends the process at once."""
        self._told_to_stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    def _parts(self) -> ServiceContext:
        return ServiceContext(
            store=Store.connect(self._shared.mongo_url, self._shared.mongo_database),
            bus=NatsBus(
                self._shared.nats_url,
                name=self._name,
                stage_bytes=self._shared.nats_stage_bytes,
                ack_wait_seconds=self._shared.nats_ack_wait_seconds,
            ),
            metrics=Metrics(self._registry),
            channel=self._channel,
        )

    def _channel(self, address: str) -> grpc.aio.Channel:
        if address not in self._channels:
            self._channels[address] = client.channel(address)
        return self._channels[address]

    def _start_metrics(self) -> MetricsServer:
        host, _, port = self._shared.metrics_listen.rpartition(":")
        try:
            return MetricsServer.start(self._registry, host.strip("[]"), int(port))
        except OSError as error:
            raise OSError(f"cannot serve metrics on {self._shared.metrics_listen}: {error}") from error

    async def _connect(self, parts: ServiceContext, wiring: Wiring) -> bool:
        """Reach NATS and MongoDB, however long it takes, and prepare; tell whether there is still work to do then."""

        async def connect() -> None:
            await asyncio.gather(parts.bus.open(), _patiently(parts.store.ping))
            await _patiently(parts.bus.ensure)
            await _patiently(wiring.prepare)

        return await _until(self._told_to_stop, connect())

    async def _work(self, wiring: Wiring, readiness: Readiness) -> int:
        """Work until told to stop or a worker fails; then finish what is in hand."""
        spare_the_collector()
        workers = Workers(wiring.workers)
        try:
            await _until(self._told_to_stop, workers.failed(), readiness.watch())
        finally:
            log.info("the process stops", action=Action.PROCESS_STOPPING)
            await readiness.end()
            well = await workers.drain()
        return ENDED_WELL if well else FAILED

    async def _let_go(self, parts: ServiceContext) -> None:
        closing = [parts.bus.close(), parts.store.close(), *(channel.close() for channel in self._channels.values())]
        results = await asyncio.gather(*map(_within_close_seconds, closing), return_exceptions=True)
        for error in results:
            if isinstance(error, Exception):
                log.warning("a connection was not closed in order", action=Action.PROCESS_STOPPING, reason=repr(error))


async def _within_close_seconds(close: Awaitable[None]) -> None:
    async with asyncio.timeout(CLOSE_SECONDS):
        await close


def spare_the_collector() -> None:
    """Have the collector of garbage leave alone what is there now, for it stays, and look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY_OBJECTS)


async def _patiently(step: Callable[[], Awaitable[None]]) -> None:
    """Take the step, again and again while something that it needs is not there."""
    while True:
        try:
            await step()
        except Unavailable as error:
            log.warning("the process waits", action=Action.PROCESS_WAITS, reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


async def _until(stop: asyncio.Event, *works: Awaitable[None]) -> bool:
    """Do the works side by side until `stop` is set or the first of them ends; tell whether it ended by itself.

    Raises what it raised. The others are given up.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task in done:
                await task
        return stopping not in done
    finally:
        stopping.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)
