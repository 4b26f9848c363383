"""The values that a process passes to its service, and those that the service's `__main__` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc.aio

from libra.bus.nats_bus import NatsBus
from libra.rpc.server import ServedService
from libra.store.client import Store
from libra.telemetry.metrics import Metrics

ServiceSettings = TypeVar("ServiceSettings")

Worker = Callable[[asyncio.Event], Awaitable[None]]
"""Works until the event is set; then finishes or hands back its messages, and returns."""


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """The connections of a process.

    Store and bus may be used before they are connected; calls then raise Unavailable.
    """

    store: Store
    bus: NatsBus
    metrics: Metrics
    channel: Callable[[str], grpc.aio.Channel]
    """Returns the channel to an address, the same one for each call; the process closes it."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """The servicers and workers of a service."""

    services: Sequence[ServedService]
    """The gRPC services. Calls may arrive before the first connection; they fail with Unavailable."""

    workers: Sequence[Worker]
    """Tasks that run once everything is connected and prepared."""

    prepare: Callable[[], Awaitable[None]]
    """Runs before the workers; it is idempotent, and repeated while it raises Unavailable."""


Wire = Callable[[ServiceContext, ServiceSettings], Wiring]
"""The function that a service's `__main__` defines."""
