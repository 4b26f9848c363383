"""The life of every process around its work: settings, telemetry, signals, and an honest exit status."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from libra.core.errors import LibraError
from libra.core.settings import InvalidSettings
from libra.process.security import metrics_tls
from libra.process.settings import CommonSettings, list_unknown_variables, load
from libra.telemetry import logs, tracing
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics_server import MetricsServer

log = structlog.get_logger(__name__)

ServiceSettings = TypeVar("ServiceSettings")

SUCCEEDED, FAILED, BAD_SETTINGS = 0, 1, 2
"""Exit statuses."""

EXIT_SECONDS = 3.0
"""Maximum time for which threads delay the exit of the process."""


def run_process(
    name: str,
    *,
    settings: type[ServiceSettings],
    run: Callable[[CommonSettings, ServiceSettings], Awaitable[int]],
) -> int:
    """Run the process `name` until a signal stops it, and return the exit status.

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
    status = _run(name, common, own, run)
    # The interpreter waits for every thread, and one of Motor's may wait a minute for a suspended mongod.
    forced_exit = threading.Timer(EXIT_SECONDS, os._exit, [status])
    forced_exit.daemon = True
    forced_exit.start()
    return status


def _run(
    name: str,
    common: CommonSettings,
    own: ServiceSettings,
    run: Callable[[CommonSettings, ServiceSettings], Awaitable[int]],
) -> int:
    """Run the process and return its exit status."""

    async def work() -> int:
        return await run(common, own)

    flush = tracing.setup(name, common.otlp_endpoint)
    try:
        return uvloop.run(work())
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


def stop_on_signal(stop: asyncio.Event) -> None:
    """Set `stop` at SIGTERM or SIGINT, and restore the default handlers then: the next signal kills the process."""
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


def start_metrics(registry: CollectorRegistry, settings: CommonSettings) -> MetricsServer:
    """Serve the metrics; raise InvalidSettings, or OSError with the address."""
    address = settings.metrics_listen
    host, _, port = address.rpartition(":")
    try:
        return MetricsServer.start(registry, host.strip("[]"), int(port), tls=metrics_tls(settings))
    except OSError as error:
        raise OSError(f"cannot serve metrics on {address}: {error}") from error
