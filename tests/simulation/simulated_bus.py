"""What a process of the simulation has for a bus: the hostile queue, reached through its own way out, and the signals."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from libra.bus.nats_bus import Backlog
from libra.bus.streams import ATTACK_CONSUMER, JUDGE_CONSUMER, RANKING_CONSUMER, WRITING_CONSUMER, gateway_consumer
from libra.errors import Unavailable
from libra.stage.bus import Outgoing
from libra.testing.hostile_bus import HostileBus, HostileDelivery
from libra.testing.killable_process import KillableProcess

USUAL_SECONDS = 0.004
PULLS = 4
"""An idle process asks the queue again within one call, so that a simulated hour of idleness costs less."""

FIXED = (ATTACK_CONSUMER, WRITING_CONSUMER, JUDGE_CONSUMER, RANKING_CONSUMER)


@dataclass
class Exchange:
    """What the wires of all processes have in common: a nats-server that can be down, and can lose its data."""

    seed: int
    queue: HostileBus
    lost_signals: float = 0.0
    published: dict[tuple[str, str], Outgoing] = field(default_factory=dict)
    """Every message that anybody tried to send, by subject and key."""

    listeners: dict[asyncio.Queue[tuple[str, bytes]], None] = field(default_factory=dict)
    losses: int = 0
    consumers: set[str] = field(default_factory=lambda: set(FIXED))

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def lose_data(self) -> None:
        self.queue.lose_data()
        self.losses += 1
        self.consumers.clear()

    async def travel(self) -> None:
        await asyncio.sleep(self.random.random() * USUAL_SECONDS)


@dataclass
class Wire:
    """As `libra.bus.nats_bus.NatsBus`, for what the stages and dispatch need of it."""

    exchange: Exchange
    way: KillableProcess

    @property
    def ack_wait_seconds(self) -> float:
        return self.exchange.queue.ack_wait_seconds

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        async def send() -> None:
            await self.exchange.travel()
            self.exchange.published[message.subject, message.key] = message
            await self.exchange.queue.publish(message, headers)
            await self.exchange.travel()

        await self.way(send)

    async def pull(self, consumer: str, limit: int) -> Sequence[Given]:
        async def ask() -> Sequence[HostileDelivery]:
            self.exchange.consumers |= {consumer, *FIXED}
            for _ in range(PULLS):
                if got := await self.exchange.queue.pull(consumer, limit):
                    return got
            return ()

        return [Given(self, delivery, self.exchange.losses) for delivery in await self.way(ask)]

    async def signal(self, subject: str, data: bytes) -> None:
        async def send() -> None:
            await self.exchange.travel()
            for listener in self.exchange.listeners:
                if not self.exchange.queue.down and self.exchange.random.random() >= self.exchange.lost_signals:
                    listener.put_nowait((subject, data))

        await self.way(send)

    async def listen(self, subject: str) -> AsyncIterator[tuple[str, bytes]]:
        heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.exchange.listeners[heard] = None
        try:
            while True:
                name, data = await heard.get()
                if name.startswith(subject.removesuffix("*")):
                    yield name, data
        finally:
            self.exchange.listeners.pop(heard, None)

    async def backlog(self) -> dict[str, Backlog]:
        async def look() -> dict[str, Backlog]:
            await self.exchange.travel()
            if self.exchange.queue.down:
                raise Unavailable("the queue is down")
            return self._backlog()

        return await self.way(look)

    async def ensure_consumer(self, model: str) -> None:
        self.exchange.consumers |= {gateway_consumer(model), *FIXED}

    def _backlog(self) -> dict[str, Backlog]:
        counts = {name: [0, 0] for name in self.exchange.consumers}
        for message in self.exchange.queue.unsettled():
            name = message.outgoing.subject.removeprefix("work.").replace("gateway.", "gateway-", 1)
            if name in counts:
                counts[name][message.attempts > 0] += 1
        return {name: Backlog(*numbers) for name, numbers in counts.items()}


@dataclass
class Given:
    """A delivery, as long as its process lives and the server remembers it."""

    wire: Wire
    delivery: HostileDelivery
    losses: int

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
        async def beat() -> None:
            self._check()
            await self.delivery.working()

        await self.wire.way(beat)

    async def ack(self) -> None:
        await self._settle("ack")

    async def nak(self, delay_seconds: float) -> None:
        await self._settle("nak", delay_seconds)

    async def term(self) -> None:
        await self._settle("term")

    async def _settle(self, how: str, *details: float) -> None:
        async def tell() -> None:
            await self.wire.exchange.travel()
            self._check()
            await getattr(self.delivery, how)(*details)

        await self.wire.way(tell)

    def _check(self) -> None:
        if self.losses != self.wire.exchange.losses:
            raise Unavailable("the server has lost its data since")
