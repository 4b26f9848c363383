"""The life of the process: start, serve, stop."""

from __future__ import annotations

import asyncio

import structlog

from libra.process.build_metrics import show_build
from libra.process.lifecycle import SUCCEEDED, start_metrics, stop_on_signal
from libra.process.security import client_credentials, require_encryption
from libra.process.settings import CommonSettings
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics, process_registry
from libra.web.access import Access
from libra.web.backend import Backend
from libra.web.security.client_address import ClientAddresses
from libra.web.security.secret import load_secret
from libra.web.server.application import create_application
from libra.web.server.listener import Listener
from libra.web.settings import Settings

log = structlog.get_logger(__name__)


async def run(common: CommonSettings, settings: Settings) -> int:
    """Serve the pages until a signal stops the process; return the exit status."""
    stop = asyncio.Event()
    stop_on_signal(stop)
    access = Access.create(common.listen, settings.allow_remote, settings.host_names)
    secret = load_secret(settings.key_file)
    registry = process_registry()
    metrics, metrics_server = Metrics(registry), start_metrics(registry, common)
    show_build("web", metrics)
    backend = Backend.create(settings, client_credentials(common))
    for address in backend.addresses:
        require_encryption(common, address)
    client_addresses = ClientAddresses.create(settings.trusted_proxies, settings.forwarded_header)
    listener = Listener(create_application(backend, access, secret, metrics, client_addresses))
    try:
        port = await listener.start(common.listen)
        metrics.ready.labels(service="web").set(1)
        log.info("the process has started", action=Action.PROCESS_STARTED, port=port, metrics_port=metrics_server.port)
        await stop.wait()
        metrics.ready.labels(service="web").set(0)
        log.info("the process stops", action=Action.PROCESS_STOPPING)
    finally:
        await listener.stop()
        await backend.close()
        metrics_server.stop()
        log.info("the process has stopped", action=Action.PROCESS_STOPPED)
    return SUCCEEDED
