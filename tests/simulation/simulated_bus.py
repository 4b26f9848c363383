"""The bus of a simulated process: the hostile queue, signals, and a nats-server that can be down or lose its data."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from libra.bus.nats_bus import Backlog
from libra.bus.streams import ATTACK_CONSUMER, JUDGE_CONSUMER, RANKING_CONSUMER, WRITING_CONSUMER, gateway_consumer
from libra.core.errors import Unavailable
from libra.stage.bus import Outgoing
from libra.testing.hostile_bus import HostileBus, HostileDelivery
from libra.testing.killable_process import KillableProcess

MAX_TRAVEL_SECONDS = 0.004
PULLS = 4
"""Number of pulls within one call of the process, which makes a simulated hour of idleness cheaper."""

FIXED_CONSUMERS = (ATTACK_CONSUMER, WRITING_CONSUMER, JUDGE_CONSUMER, RANKING_CONSUMER)


@dataclass
class SimulatedNatsServer:
    """The nats-server that the buses of all processes share; it can be down and can lose its data."""

    seed: int
    queue: HostileBus
    lost_signals: float = 0.0
    published: dict[tuple[str, str], Outgoing] = field(default_factory=dict)
    """Every message that a process tried to publish, by subject and key."""

    listeners: dict[asyncio.Queue[tuple[str, bytes]], None] = field(default_factory=dict)
    data_losses: int = 0
    consumers: set[str] = field(default_factory=lambda: set(FIXED_CONSUMERS))

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def lose_data(self) -> None:
        self.queue.lose_data()
        self.data_losses += 1
        self.consumers.clear()

    async def travel(self) -> None:
        await asyncio.sleep(self.random.random() * MAX_TRAVEL_SECONDS)


@dataclass
class SimulatedBus:
    """The part of `libra.bus.nats_bus.NatsBus` that stages and dispatch use."""

    nats_server: SimulatedNatsServer
    process: KillableProcess

    @property
    def ack_wait_seconds(self) -> float:
        return self.nats_server.queue.ack_wait_seconds

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        async def send() -> None:
            await self.nats_server.travel()
            self.nats_server.published[message.subject, message.key] = message
            await self.nats_server.queue.publish(message, headers)
            await self.nats_server.travel()

        await self.process(send)

    async def pull(self, consumer: str, limit: int) -> Sequence[SimulatedDelivery]:
        async def ask() -> Sequence[HostileDelivery]:
            self.nats_server.consumers |= {consumer, *FIXED_CONSUMERS}
            for _ in range(PULLS):
                if deliveries := await self.nats_server.queue.pull(consumer, limit):
                    return deliveries
            return ()

        return [SimulatedDelivery(self, delivery, self.nats_server.data_losses) for delivery in await self.process(ask)]

    async def signal(self, subject: str, data: bytes) -> None:
        async def send() -> None:
            await self.nats_server.travel()
            for listener in self.nats_server.listeners:
                if (
                    not self.nats_server.queue.down
                    and self.nats_server.random.random() >= self.nats_server.lost_signals
                ):
                    listener.put_nowait((subject, data))

        await self.process(send)

    async def listen(self, subject: str) -> AsyncIterator[tuple[str, bytes]]:
        signals: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.nats_server.listeners[signals] = None
        try:
            while True:
                name, data = await signals.get()
                if name.startswith(subject.removesuffix("*")):
                    yield name, data
        finally:
            self.nats_server.listeners.pop(signals, None)

    async def backlog(self) -> dict[str, Backlog]:
        async def read() -> dict[str, Backlog]:
            await self.nats_server.travel()
            if self.nats_server.queue.down:
                raise Unavailable("the queue is down")
            return self._backlog()

        return await self.process(read)

    async def ensure_consumer(self, model: str) -> None:
        self.nats_server.consumers |= {gateway_consumer(model), *FIXED_CONSUMERS}

    def _backlog(self) -> dict[str, Backlog]:
        counts = {name: [0, 0] for name in self.nats_server.consumers}
        for message in self.nats_server.queue.unsettled():
            name = message.outgoing.subject.removeprefix("work.").replace("gateway.", "gateway-", 1)
            if name in counts:
                counts[name][message.attempts > 0] += 1
        return {name: Backlog(*numbers) for name, numbers in counts.items()}


@dataclass
class SimulatedDelivery:
    """A delivery that is valid while its process lives and the server has its data."""

    bus: SimulatedBus
    delivery: HostileDelivery
    data_losses: int

    @property
    def data(self) -> bytes:
        return self.delivery.data

    @property
    def subject(self) -> str:
        return self.delivery.subject

    @property
    def key(self) -> str:
        return self.delivery.key

    @property
    def attempt(self) -> int:
        return self.delivery.attempt

    @property
    def headers(self) -> Mapping[str, str]:
        return self.delivery.headers

    async def working(self) -> None:
        async def extend() -> None:
            self._check()
            await self.delivery.working()

        await self.bus.process(extend)

    async def ack(self) -> None:
        await self._settle("ack")

    async def nak(self, delay_seconds: float) -> None:
        await self._settle("nak", delay_seconds)

    async def term(self) -> None:
        await self._settle("term")

    async def _settle(self, method: str, *arguments: float) -> None:
        async def settle() -> None:
            await self.bus.nats_server.travel()
            self._check()
            await getattr(self.delivery, method)(*arguments)

        await self.bus.process(settle)

    def _check(self) -> None:
        if self.data_losses != self.bus.nats_server.data_losses:
            raise Unavailable("the server has lost its data since the delivery")
