"""An in-memory `libra.stage.bus.Bus` with JetStream's rules of redelivery, and with faults that its seed repeats.

    bus = HostileBus(seed=7, faults=BusFaults(lost_acknowledgements=0.3, lost_publishes=0.2))
    await bus.publish(Outgoing("work.judge", key, data), {})
    await run(stage, "judge", bus, stop, metrics)
    assert bus.messages("work.ranking")

Consumers have the real names: "judge" reads `work.judge`, "gateway-<model>" reads `work.gateway.<model>`. Times come
from the event loop, so it works in virtual time (`libra.testing.virtual_time`) and in real time.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from libra.core.errors import Unavailable
from libra.stage.bus import Outgoing, QueueFull

PULL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class BusFaults:
    """Probabilities of the queue's faults; by default there are none."""

    lost_acknowledgements: float = 0.0
    """An ack, nak or term is lost; in half of the cases the caller gets an error."""

    lost_publishes: float = 0.0
    """A publish raises Unavailable; in half of the cases the message was stored nevertheless."""

    lost_pulls: float = 0.0
    """A pull raises Unavailable."""

    duplicates: float = 0.0
    """A message is delivered again while it is being handled."""

    reordering: bool = False
    """Messages are delivered in random order."""


@dataclass(slots=True)
class QueuedMessage:
    """One stored message and its state."""

    seq: int
    outgoing: Outgoing
    headers: Mapping[str, str]
    attempts: int = 0
    """Deliveries so far."""

    due_seconds: float = 0.0
    """The earliest time of the next delivery."""

    settled: bool = False
    """Acknowledged or terminated."""


@dataclass(frozen=True, slots=True)
class HostileDelivery:
    """Implements `libra.stage.bus.Delivery`."""

    bus: HostileBus
    message: QueuedMessage
    attempt: int

    @property
    def data(self) -> bytes:
        """The body of the message."""
        return self.message.outgoing.data

    @property
    def subject(self) -> str:
        """The subject it was pulled from."""
        return self.message.outgoing.subject

    @property
    def key(self) -> str:
        """The key it was published under."""
        return self.message.outgoing.key

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers it was published with."""
        return self.message.headers

    async def working(self) -> None:
        """Extend the acknowledgement deadline."""
        self.bus.extend(self.message)

    async def ack(self) -> None:
        """Acknowledge the message."""
        self.bus.settle(self.message, "an acknowledgement")

    async def nak(self, delay_seconds: float) -> None:
        """Have the message redelivered after the delay."""
        self.bus.settle(self.message, "a nak", redeliver_after_seconds=delay_seconds)

    async def term(self) -> None:
        """Remove the message."""
        self.bus.settle(self.message, "a term")


@dataclass(slots=True)
class HostileBus:
    """Implements `libra.stage.bus.Bus`. The same seed and the same calls at the same times give the same faults."""

    seed: int = 0
    faults: BusFaults = field(default_factory=BusFaults)
    ack_wait_seconds: float = 30.0
    deduplication_seconds: float = 120.0
    capacity: int = 4096
    """Maximum messages on one work subject; beyond it a publish raises QueueFull."""

    down: bool = False
    """While it is set, every call raises Unavailable."""

    _stored: list[QueuedMessage] = field(default_factory=list)
    _unsettled: dict[str, dict[int, QueuedMessage]] = field(default_factory=dict)
    _keys: dict[str, float] = field(default_factory=dict)
    _random: random.Random = field(init=False)
    _changed: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    """By subject; set when a message was stored or is to be redelivered."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - the faults must be repeatable

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        """Store the message, unless its key was stored within two minutes; raise QueueFull if its subject is full."""
        await asyncio.sleep(0)
        self._check("a publish")
        lost = self._happens(self.faults.lost_publishes)
        if lost and self._happens(0.5):
            raise Unavailable("a publish was lost on the way there")
        self._store(message, headers)
        if lost:
            raise Unavailable("a publish was lost on the way back")

    async def pull(self, consumer: str, limit: int) -> Sequence[HostileDelivery]:
        """Return up to `limit` messages as soon as there is one; an empty list after two seconds without."""
        self._check("a pull")
        if self._happens(self.faults.lost_pulls):
            await asyncio.sleep(PULL_SECONDS)
            raise Unavailable("a pull was lost")
        subject = f"work.{consumer.replace('gateway-', 'gateway.', 1)}"
        until_seconds = self._now() + PULL_SECONDS
        while not (ready := self._ready(subject)):
            if self._now() >= until_seconds:
                return []
            await self._wait_for_change(subject, until_seconds)
            self._check("a pull")
        if self.faults.reordering:
            self._random.shuffle(ready)
        return [self._deliver(message) for message in ready[:limit]]

    def messages(self, subject: str) -> list[QueuedMessage]:
        """Return all messages ever stored on the subject, in order; do not change them."""
        return [message for message in self._stored if message.outgoing.subject == subject]

    def unsettled(self) -> list[QueuedMessage]:
        """Return the messages of all stages that are not settled."""
        return [
            m for subject, messages in self._unsettled.items() if subject.startswith("work.") for m in messages.values()
        ]

    def lose_data(self) -> None:
        """Delete everything, like a server whose data was deleted."""
        self._stored.clear()
        self._unsettled.clear()
        self._keys.clear()

    def extend(self, message: QueuedMessage) -> None:
        """Extend the acknowledgement deadline of a message."""
        self._check("an extension")
        message.due_seconds = max(message.due_seconds, self._now() + self.ack_wait_seconds)

    def settle(self, message: QueuedMessage, what: str, *, redeliver_after_seconds: float | None = None) -> None:
        """Settle a delivery: for good, or with a redelivery after the time."""
        self._check(what)
        if self._happens(self.faults.lost_acknowledgements):
            if self._happens(0.5):
                raise Unavailable(f"{what} was lost")
            return
        if redeliver_after_seconds is None:
            message.settled = True
            self._unsettled.get(message.outgoing.subject, {}).pop(message.seq, None)
        else:
            message.due_seconds = self._now() + redeliver_after_seconds
            self._changed[message.outgoing.subject].set()

    def _store(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        now = self._now()
        if now - self._keys.get(message.key, float("-inf")) < self.deduplication_seconds:
            return
        waiting = self._unsettled.setdefault(message.subject, {})
        if message.subject.startswith("work.") and len(waiting) >= self.capacity:
            raise QueueFull(f"{message.subject} holds {len(waiting)} messages")
        self._keys[message.key] = now
        stored = QueuedMessage(len(self._stored) + 1, message, dict(headers))
        self._stored.append(stored)
        waiting[stored.seq] = stored
        self._changed[message.subject].set()

    def _ready(self, subject: str) -> list[QueuedMessage]:
        now = self._now()
        waiting = self._unsettled.get(subject, {}).values()
        return [m for m in waiting if m.due_seconds <= now or self._happens(self.faults.duplicates)]

    def _deliver(self, message: QueuedMessage) -> HostileDelivery:
        message.attempts += 1
        message.due_seconds = self._now() + self.ack_wait_seconds
        return HostileDelivery(self, message, message.attempts)

    async def _wait_for_change(self, subject: str, until_seconds: float) -> None:
        """Wait until a message may have arrived or become due."""
        due = [m.due_seconds for m in self._unsettled.get(subject, {}).values()]
        changed = self._changed[subject]
        changed.clear()
        try:
            async with asyncio.timeout_at(min([until_seconds, *due])):
                await changed.wait()
        except TimeoutError:
            pass

    def _check(self, what: str) -> None:
        if self.down:
            raise Unavailable(f"{what} failed: the queue is down")

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
