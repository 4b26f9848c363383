"""What a process gives to its service, and what the service gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc.aio

from libra.bus.nats_bus import NatsBus
from libra.rpc.server import Served
from libra.store.client import Store
from libra.telemetry.metrics import Metrics

Own = TypeVar("Own")

Worker = Callable[[asyncio.Event], Awaitable[None]]
"""Works until the event is set, then finishes or hands back what it has in hand and returns."""


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """The ways out of the process. Store and bus are there before they are connected."""

    store: Store
    bus: NatsBus
    metrics: Metrics
    channel: Callable[[str], grpc.aio.Channel]
    """Returns the one channel to an address; the process closes it."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """A service, put together."""

    services: Sequence[Served]
    """What it answers; calls may come before the first connection, and end as Unavailable."""

    workers: Sequence[Worker]
    """What it does by itself, once everything is connected and prepared."""

    prepare: Callable[[], Awaitable[None]]
    """What must be done before; may be done many times, and is tried again while it raises Unavailable."""


Wire = Callable[[ServiceContext, Own], Wiring]
"""What a service's `__main__` defines."""
